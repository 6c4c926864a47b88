export {
  countProxies,
  type HeldProxy,
  listProxies,
  listProxyFacets,
  listTags,
  PROXIES_PAGE,
  type ProxiesPage,
  proxiesQuery,
  type ProxyStanding,
} from './list-proxies'
export { findMarks, markProxy, parseTags, retagProxies } from './mark-proxies'
export { proxyFilter } from './proxy-filter'
export { filterQuery, type ProxyFilter, proxyFilterSchema, type ProxyOrder, readFilter } from './schemas'
export { dropView, listViews, saveView } from './views'
export { BULK_NAMES, type BulkCode, type BulkLine, type BulkName, type BulkOutcome, isBulkName } from './bulk-actions'
export { removeSelectionsJob } from './jobs'
export { ORDERS_AT_ONCE, previewBulk, type PreviewedPart, runBulk, type SelectionPreview } from './run-bulk'
export { type BulkResult, findSelection, makeSelection, removeSelections } from './selections'
export { findProxy, listProxyChanges, type ProxyChange, type ProxyDetails } from './find-proxy'
export { type Guarantee, guaranteesOf } from './guarantees'
export { PROXY_CHECKS, PROXY_SORTS, PROXY_STATES, proxySortSchema, SELECTION_MAX, MARK_LIMITS } from './schemas'
