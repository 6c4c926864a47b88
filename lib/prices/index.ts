export { convertCost, type CostPlusLine, costPlusPrice, parseRate, type PriceEnding } from './cost-plus'
export { type CostRow, listCosts, saveCosts } from './costs'
export {
  type ComputedPeriod,
  computeRule,
  costOf,
  type KnownCost,
  type RateFor,
  type RuleProblem,
} from './compute-rule'
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
export {
  applyRules,
  findPriceRule,
  previewPriceRule,
  type PriceRuleView,
  type RuleOutcome,
  savePriceRule,
  switchPriceRule,
} from './price-rules'
export {
  differenceMicros,
  type LeftOut,
  SIMULATED_DAYS,
  type SimulatedSale,
  simulatePrices,
  simulateSales,
  type Simulation,
  type SimulationSum,
} from './simulate'
export { differenceOf, type PriceDifference, toStored } from './stored-prices'
export * from './schemas'
