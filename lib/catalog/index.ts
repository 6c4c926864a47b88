export { discounted, type Price, type PricedPlan, priceOf, renewalPriceOf, unitOf } from './price'
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
export { savePlan } from './save-plan'
export { saveProduct } from './save-product'
export * from './schemas'
