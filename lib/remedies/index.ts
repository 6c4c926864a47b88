export { creditDowntime, listCredits } from './credit-downtime'
export { decideRemedy, type ProxyFacts, type Remedy } from './decide-remedy'
export { EXCHANGE_WITHIN_MS, exchangeProxy, sweepExchanges } from './exchange-proxies'
export { creditDowntimeJob, exchangeJob, replaceDeadJob, sweepExchangesJob } from './jobs'
export {
  countLateExchanges,
  type LateExchange,
  listLateExchanges,
  settleLateExchange,
  settleLateExchangeSchema,
} from './late-exchanges'
export { previewRefund, type RefundPreview, refundProxies } from './refund-proxies'
export {
  listReplacements,
  previewReplacement,
  replaceDead,
  replaceProxies,
  type ReplacementPreview,
  type ReplacementView,
} from './replace-proxies'
export { REPLACE_REASONS, type ReplaceReason } from './take-from-stock'
