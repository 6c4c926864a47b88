export {
  findSupplierDefinition,
  readOfferParams,
  SUPPLIER_DEFINITIONS,
  type SupplierDefinition,
  type SupplierParam,
  type SupplierValues,
  writeOfferParam,
} from './definitions'
export { createIproyal } from './iproyal/create-iproyal'
export { createIproyalResidential } from './iproyal-residential/create-iproyal-residential'
export { createProxyCheap } from './proxy-cheap/create-proxy-cheap'
export { createProxySeller } from './proxy-seller/create-proxy-seller'
export { createPx6 } from './px6/create-px6'
export { createWebshare } from './webshare/create-webshare'
export {
  type HeldProxies,
  type PoolProxy,
  type Purchase,
  type PurchaseHint,
  type PurchasedProxy,
  type PurchaseOutcome,
  type PurchaseRequest,
  type Quote,
  type RenewOutcome,
  type Replacement,
  type SubAccount,
  type Supplier,
  type SupplierModel,
  UnknownOutcomeError,
} from './supplier'
