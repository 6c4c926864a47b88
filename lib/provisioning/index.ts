export { deliverOrder } from './deliver-order'
export { importStock, previewStock, type PreviewLine } from './import-stock'
export {
  deliverOrderJob,
  renewJob,
  resolveDeliveryJob,
  resolveRenewalJob,
  sweepOrdersJob,
  sweepRenewalsJob,
  syncPoolJob,
  syncStockJob,
} from './jobs'
export { MAX_STOCK_LINES } from './parse-stock'
export {
  type AllocationView,
  countActiveAllocations,
  countStock,
  listAllocations,
  listAvailability,
  listDeliveries,
  listStockImports,
} from './queries'
export { renewAtSuppliers, resolveRenewal, sweepRenewals } from './renew-at-suppliers'
export { resolveDelivery } from './resolve-delivery'
export { sweepOrders } from './sweep-orders'
export { isSupplierSetUp } from './suppliers-in-use'
export { type PoolFinding, syncPool } from './sync-pool'
export { syncStock } from './sync-stock'
