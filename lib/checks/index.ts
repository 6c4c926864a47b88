export { checkDue, enrolMissed, removeOldChecks } from './check-due'
export { checkOrder } from './check-order'
export { CHECK_FAILURES, type CheckFailure } from './failures'
export {
  checkDueJob,
  checkOnDemandJob,
  checkOrderJob,
  enrolMissedJob,
  measureQualityJob,
  removeOldChecksJob,
} from './jobs'
export { measureQuality, QUALITY_CHECKS_MIN, QUALITY_DAYS, REPLACEMENTS_DAYS } from './measure-quality'
export { probeProxy, type ProbeResult, type ProxyToProbe } from './probe-proxy'
export {
  type CheckedProxy,
  type CheckView,
  type Downtime,
  getOrderChecks,
  listDowntimes,
  listQuality,
  type OrderChecks,
  type Quality,
} from './queries'
export { checkOnDemand, requestCheck } from './request-check'
export { checkRules } from './rules'
export type { Prober } from './work-through'
