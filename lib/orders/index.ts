export {
  countOrdersInDispute,
  decideDisputedOrder,
  listDisputedJob,
  listDisputedOrders,
  listOrdersInDispute,
} from './disputed-orders'
export {
  dropOrderIntent,
  expireIntents,
  expireIntentsJob,
  finishIntents,
  finishIntentsJob,
  finishOrderIntent,
  keepOrderIntent,
} from './order-intents'
export { cancelOrder } from './cancel-order'
export { placeOrder, previewOrder } from './place-order'
export {
  countOpenOrders,
  countOrdersByState,
  findOrder,
  findOrderIntent,
  findRenewal,
  listAllOrders,
  listOrders,
  listRenewals,
  listWaitingIntents,
  type OrderDetails,
  type OrderEventKind,
  type OrderSummary,
} from './queries'
export { listRenewable, quoteRenewal, type RenewalQuote, renewOrder, type RenewOrderInput } from './renew-order'
export { renewalRules } from './rules'
export { saveRenewalRules } from './save-renewal-rules'
export {
  automaticKey,
  expireOrders,
  expireOrdersJob,
  runRenewals,
  runRenewalsJob,
  tellShort,
  tellShortJob,
} from './run-renewals'
export { switchRenewal } from './switch-renewal'
export { decideDisputedOrderSchema, type PlaceOrderInput, placeOrderSchema } from './schemas'
export {
  ALLOCATION_TRANSITIONS,
  type AllocationState,
  LIVE_ORDER_STATES,
  OPEN_ORDER_STATES,
  ORDER_TRANSITIONS,
  type OrderState,
} from './states'
export { tellNextCharges, tellNextChargesJob } from './tell-next-charges'
