export { creditDowntime, listCredits } from './credit-downtime'
export { decideRemedy, type ProxyFacts, type Remedy } from './decide-remedy'
export { creditDowntimeJob, replaceDeadJob } from './jobs'
export { previewRefund, type RefundPreview, refundProxies } from './refund-proxies'
export {
  listReplacements,
  previewReplacement,
  REPLACE_REASONS,
  type ReplaceReason,
  replaceDead,
  replaceProxies,
  type ReplacementPreview,
} from './replace-proxies'
