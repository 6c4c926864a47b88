export { deliverOrder } from './deliver-order'
export { importStock, previewStock, type PreviewLine } from './import-stock'
export { deliverOrderJob, resolveDeliveryJob, sweepOrdersJob, syncStockJob } from './jobs'
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
export { resolveDelivery } from './resolve-delivery'
export { sweepOrders } from './sweep-orders'
export { isSupplierSetUp } from './suppliers-in-use'
export { syncStock } from './sync-stock'
