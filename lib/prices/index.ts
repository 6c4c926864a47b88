export { convertCost, type CostPlusLine, costPlusPrice, parseRate, type PriceEnding } from './cost-plus'
export { applyChangesJob, applyRulesJob } from './jobs'
export {
  applyDueChanges,
  findPlannedChange,
  listPastChanges,
  listPlannedChanges,
  listRenewalChanges,
  type PastChange,
  type PlannedChange,
  planPriceChange,
  withdrawPriceChange,
} from './price-changes'
export { differenceOf, type PriceDifference, toStored } from './stored-prices'
export * from './schemas'
