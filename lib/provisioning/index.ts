export {
  type AccessChange,
  ADDRESSES_MAX,
  changeAccess,
  parseAddresses,
  previewAccess,
  readAccess,
} from './change-access'
export { deliverOrder, GIVE_BACK_AFTER_MS } from './deliver-order'
export { askExchange, listExchangeable, readExchange } from './exchange-at-supplier'
export { importStock, previewStock, type PreviewLine } from './import-stock'
export { closeTraffic, readTraffic, readTrafficOf } from './follow-traffic'
export { HORIZON_DAYS, type Forecast } from './forecast'
export {
  closeTrafficJob,
  deliverOrderJob,
  readAccessJob,
  pollBalancesJob,
  readTrafficJob,
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
  listRefusedLines,
  listStockImports,
} from './queries'
export { readRates } from './judge-cost'
export { type QuotedOffer, quoteOffer } from './quote-offer'
export { renewAtSuppliers, resolveRenewal, sweepRenewals } from './renew-at-suppliers'
export { countRunningDry, pollBalances } from './poll-balances'
export { resolveDelivery } from './resolve-delivery'
export { sweepOrders } from './sweep-orders'
export { forgetSupplier, saveSupplier } from './save-supplier'
export * from './schemas'
export {
  findSupplierForAdmin,
  getOrderMargin,
  listMargins,
  listSuppliersForAdmin,
  marginCurrency,
  type MarginRow,
  type SupplierView,
} from './supplier-queries'
export { supplyRules } from './supply-rules'
export { isSupplierSetUp, type SupplierFor, supplierOf } from './suppliers-in-use'
export { SUPPLIER_TEST_RESULTS, type SupplierTestResult, testSupplier } from './test-supplier'
export {
  askRenewal,
  askSupplier,
  countUnknownOutcomes,
  decideDelivery,
  decideRenewalRun,
  listUnknownOutcomes,
  type UnknownOutcome,
} from './unknown-outcomes'
export { type PoolFinding, syncPool } from './sync-pool'
export { syncStock } from './sync-stock'
