export { checkBooks } from './check-books'
export { countQueues, getOverview } from './overview'
export { sendJobAgain } from './send-job-again'
