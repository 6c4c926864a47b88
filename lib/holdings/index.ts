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
