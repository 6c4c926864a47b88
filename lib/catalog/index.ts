export { discounted, type Price, type PricedPlan, priceOf, renewalPriceOf, roundUp, unitOf } from './price'
export { priceRounding } from './price-rounding'
export { COMMON_POLICY, NO_POLICY, type Policy, type PolicyRow, policySchema } from './policy'
export {
  type CatalogOffer,
  type CatalogPlan,
  type CatalogProduct,
  findPlan,
  findPlanBySlug,
  isOnSale,
  listCatalog,
  readCatalog,
} from './queries'
export { saveOffer } from './save-offer'
export { savePlan, writePlan } from './save-plan'
export { findPolicy, readPolicy, savePolicy } from './save-policy'
export { saveProduct } from './save-product'
export * from './schemas'
