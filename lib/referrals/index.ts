export { attributeSignUp, type Via } from './attribute-sign-up'
export { type CommissionRule, type CommissionTerms, listCommissionRules, saveCommissionRule } from './commission-rules'
export { countWaiting, decidePayout, reviewReferral } from './decide'
export { changeLink, countClick, findLink, makeLink } from './links'
export { type PayoutMethod, payoutMethodSchema, referralProgramme } from './rules'
export { reviseRewards, reviseRewardsJob, runRewards, runRewardsJob, type RewardRun } from './run-rewards'
export * from './schemas'
export { moveRewards, requestPayout, type Settled, withdrawPayout } from './settle-rewards'
export {
  exportRewards,
  type HeldReferral,
  listHeldReferrals,
  listTopReferrers,
  listWaitingPayouts,
  openDestination,
  type TopReferrer,
  type WaitingPayout,
} from './admin-queries'
export {
  CHART_DAYS,
  getReferralOverview,
  type LinkView,
  listLinks,
  listReferred,
  listRewards,
  listSettlements,
  type ReferralOverview,
  type ReferredView,
  type RewardState,
  type RewardView,
  type SettlementView,
} from './queries'
