/**
 * Who reacts to what: from an event to the jobs it starts. Modules that must react to each other do not import each other; this
 * table is the only place that knows both. The SQL functions that announce (place_order, credit_payment) name the same jobs; a test
 * compares them.
 */
export const SUBSCRIPTIONS = {
  'orders.placed': ['provisioning.deliver'],
  'payments.top_up_credited': ['orders.finish_intents'],
  'payments.disputed': ['orders.list_disputed'],
  'checks.dead_on_arrival': ['remedies.replace_dead'],
} as const satisfies Record<string, readonly string[]>

export type EventName = keyof typeof SUBSCRIPTIONS
