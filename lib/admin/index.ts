export { checkBooks, SHOP_RULES } from './check-books'
export { countQueues, getOverview, type Overview, type Period } from './overview'
export { sendJobAgain } from './send-job-again'
