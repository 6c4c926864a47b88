import { type Database, db } from '@/lib/db'
import { checkRules, LEDGER_RULES, type LedgerReport, type Rule } from '@/lib/ledger'

/**
 * The shop's promises about money, held against the ledger: an external payment is credited at most
 * once, no active order without its debit, no debit without an order, a job or a refund.
 */
export const SHOP_RULES: readonly Rule[] = [
  {
    rule: 'each external payment is credited at most once, with what its row says',
    sql: `SELECT p.id FROM payments p LEFT JOIN ledger_transfers t ON t.source_kind = 'payment' AND t.source_id = p.id AND t.key LIKE 'top_up:%'
          GROUP BY p.id, p.credited_micros HAVING count(t.id) > 1 OR coalesce(sum(t.amount_micros), 0) <> coalesce(p.credited_micros, 0)
          UNION ALL
          SELECT t.key FROM ledger_transfers t WHERE t.key LIKE 'top_up:%' AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.id = t.source_id)
          UNION ALL
          SELECT max(id) FROM payments WHERE credited_at IS NOT NULL AND provider_payment_id IS NOT NULL GROUP BY provider, provider_payment_id HAVING count(*) > 1`,
  },
  {
    rule: 'every order has its hold: open while it is under way, captured when active, wholly released when failed',
    sql: `SELECT o.id FROM orders o LEFT JOIN ledger_holds h ON h.id = o.id WHERE h.id IS NULL OR h.amount_micros <> o.total_micros
          OR (o.state IN ('placed', 'delivering', 'unknown') AND h.captured_micros + h.released_micros <> 0)
          OR (o.state IN ('active', 'in_grace', 'expired', 'refunded', 'withdrawn') AND (h.captured_micros = 0 OR h.captured_micros + h.released_micros <> h.amount_micros))
          OR (o.state IN ('failed', 'cancelled') AND h.released_micros <> h.amount_micros)`,
  },
  {
    rule: 'every debit of an order has its order',
    sql: `SELECT h.id FROM ledger_holds h WHERE h.id LIKE 'ord\\_%' AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = h.id)`,
  },
  {
    rule: 'an order under way has a job that will end it, or an open delivery that is looked after',
    sql: `SELECT o.id FROM orders o WHERE o.state IN ('placed', 'delivering', 'unknown') AND o.placed_at < now() - interval '1 day'
          AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.order_id = o.id AND d.state IN ('calling', 'unknown'))`,
  },
  {
    rule: 'an active order has what was paid for, and no unit is sold twice',
    sql: `SELECT o.id FROM orders o LEFT JOIN allocations a ON a.order_id = o.id LEFT JOIN ledger_holds h ON h.id = o.id WHERE o.delivered_at IS NOT NULL
          GROUP BY o.id, o.total_micros, o.quantity, h.captured_micros HAVING count(a.id) = 0
             OR NOT bool_or(a.granted_bytes IS NOT NULL) AND o.total_micros * (count(a.id) - count(a.id) FILTER (WHERE a.state = 'replaced')) / o.quantity <> h.captured_micros
          UNION ALL
          SELECT min(a.order_id) FROM allocations a JOIN stock_units u ON u.id = a.supplier_ref WHERE a.state <> 'replaced' GROUP BY u.id HAVING count(*) > 1
          UNION ALL
          SELECT u.id FROM stock_units u LEFT JOIN allocations a ON a.supplier_ref = u.id WHERE u.state = 'sold' AND a.order_id IS DISTINCT FROM u.order_id`,
  },
  {
    rule: 'every renewal has its money, once: posted at once, or held and ended with it',
    sql: `SELECT r.id FROM renewals r LEFT JOIN ledger_transfers t ON t.key = 'renewal:' || r.id LEFT JOIN ledger_holds h ON h.id = r.id
          WHERE (t.id IS NULL) = (h.id IS NULL)
             OR t.id IS NOT NULL AND (r.state <> 'done' OR t.amount_micros <> r.total_micros OR r.captured_micros <> r.total_micros)
             OR h.id IS NOT NULL AND (h.amount_micros <> r.total_micros OR h.captured_micros <> r.captured_micros
                OR (r.state = 'held') <> (h.captured_micros + h.released_micros = 0) OR r.state = 'failed' AND h.captured_micros <> 0)
          UNION ALL SELECT t.key FROM ledger_transfers t WHERE t.key LIKE 'renewal:%' AND NOT EXISTS (SELECT 1 FROM renewals r WHERE r.id = substr(t.key, 9))
          UNION ALL SELECT h.id FROM ledger_holds h WHERE h.id LIKE 'rnw\\_%' AND NOT EXISTS (SELECT 1 FROM renewals r WHERE r.id = h.id)`,
  },
  {
    rule: 'no end of a proxy is renewed twice',
    sql: `SELECT min(r.id) AS id FROM renewals r CROSS JOIN LATERAL unnest(r.allocation_ids) AS a(id) WHERE r.state = 'done' AND r.key LIKE 'auto:%' GROUP BY a.id, r.key HAVING count(*) > 1`,
  },
  {
    rule: 'what was given back for an order has its cause and its transfer, and is never more than was paid',
    sql: `SELECT c.id FROM order_credits c LEFT JOIN ledger_transfers t ON t.key = 'order_credit:' || c.id WHERE t.amount_micros IS DISTINCT FROM c.amount_micros
          UNION ALL SELECT t.key FROM ledger_transfers t WHERE t.key LIKE 'order_credit:%' AND NOT EXISTS (SELECT 1 FROM order_credits c WHERE c.id = substr(t.key, 14))
          UNION ALL SELECT c.order_id FROM order_credits c GROUP BY c.order_id HAVING sum(c.amount_micros)
            > coalesce((SELECT h.captured_micros FROM ledger_holds h WHERE h.id = c.order_id), 0)
            + coalesce((SELECT sum(r.captured_micros) FROM renewals r WHERE r.order_id = c.order_id), 0)`,
  },
  {
    rule: 'an exchanged proxy has its successor in the same order, and one paid back instead has its record',
    sql: `SELECT r.id FROM replacements r JOIN allocations o ON o.id = r.old_allocation_id LEFT JOIN allocations n ON n.id = r.new_allocation_id
          WHERE r.state = 'replaced' AND (n.id IS NULL OR n.order_id <> o.order_id OR o.state <> 'replaced')
          UNION ALL SELECT c.id FROM order_credits c WHERE c.cause = 'not_replaced' AND NOT EXISTS (SELECT 1 FROM replacements r WHERE r.outcome = c.id AND r.state = 'credited')
          UNION ALL SELECT a.id FROM allocations a WHERE a.state = 'replaced' AND NOT EXISTS (SELECT 1 FROM replacements r WHERE r.old_allocation_id = a.id AND r.state = 'replaced')`,
  },
  {
    rule: 'an exchange has one successor, and one that is open has a proxy that waits for it, a turn that comes, and an end',
    sql: `SELECT r.id FROM replacements r JOIN allocations o ON o.id = r.old_allocation_id WHERE r.state = 'open'
            AND (r.look_at IS NULL OR r.look_at < now() - interval '1 day' OR r.give_up_at < now() - interval '1 day' OR o.state IN ('replaced', 'refunded', 'expired', 'in_grace'))
          UNION ALL SELECT min(r.id) FROM replacements r WHERE r.state <> 'refused' GROUP BY r.old_allocation_id HAVING count(*) > 1
          UNION ALL SELECT min(a.id) FROM allocations a JOIN replacements r ON r.new_allocation_id = a.id JOIN allocations o ON o.id = r.old_allocation_id
            WHERE o.delivery_id IS NOT NULL AND a.delivery_id = o.delivery_id GROUP BY a.order_id, a.host, a.port HAVING count(*) > 1
          UNION ALL SELECT r.id FROM replacements r LEFT JOIN order_credits c ON c.id = r.outcome AND c.cause = 'not_replaced'
            WHERE r.state = 'credited' AND (c.id IS NULL OR r.supplier IS NOT NULL AND c.amount_micros > r.promised_micros)`,
  },
  {
    rule: 'an order says what its proxies say',
    sql: `SELECT o.id FROM orders o LEFT JOIN allocations a ON a.order_id = o.id AND a.state IN ('active', 'in_grace') WHERE o.delivered_at IS NOT NULL
          GROUP BY o.id, o.state, o.due_at HAVING (count(a.id) > 0) <> (o.state IN ('active', 'in_grace')) OR o.due_at IS DISTINCT FROM min(a.expires_at)`,
  },
  {
    rule: 'what went back of a payment is what its refunds and disputes say, and never more than was credited',
    sql: `SELECT r.id FROM (
            SELECT id, payment_id, user_id, 'refund' AS kind, amount_micros, state <> 'failed' AS is_gone FROM payment_refunds
            UNION ALL SELECT id, payment_id, user_id, 'dispute', amount_micros, state <> 'won' FROM payment_disputes) r
          LEFT JOIN ledger_transfers t ON t.key IN (r.kind || ':' || r.id, 'debt:' || r.kind || ':' || r.id, 'refund_failed:' || r.id, 'dispute_won:' || r.id)
          LEFT JOIN ledger_entries e ON e.transfer_id = t.id
            AND e.account_id IN (SELECT a.id FROM ledger_accounts a WHERE a.owner = r.user_id AND a.kind IN ('customer_balance', 'customer_debt'))
          GROUP BY r.id, r.amount_micros, r.is_gone HAVING coalesce(-sum(e.amount_micros), 0) <> CASE WHEN r.is_gone THEN r.amount_micros ELSE 0 END
          UNION ALL
          SELECT p.id FROM payments p WHERE coalesce(p.credited_micros, 0)
            < coalesce((SELECT sum(amount_micros) FROM payment_refunds f WHERE f.payment_id = p.id AND f.state <> 'failed'), 0)
            + coalesce((SELECT sum(amount_micros) FROM payment_disputes d WHERE d.payment_id = p.id AND d.state <> 'won'), 0)`,
  },
  {
    rule: 'what is set aside for refunds is what is being sent',
    sql: `SELECT c.currency AS id FROM (SELECT DISTINCT currency FROM ledger_accounts) c WHERE
          coalesce((SELECT sum(e.amount_micros) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
                    WHERE a.kind = 'refunds_pending' AND a.currency = c.currency), 0)
          <> coalesce((SELECT sum(f.amount_micros) FROM payment_refunds f JOIN payments p ON p.id = f.payment_id
                       WHERE f.state IN ('sending', 'manual') AND p.currency = c.currency), 0)`,
  },
  {
    rule: 'what is payable to a referrer is what of their available rewards is left, and what is set aside is what payouts wait with',
    sql: `SELECT coalesce(a.owner, w.referrer_id) AS id
          FROM (SELECT owner, currency, balance_micros FROM ledger_accounts WHERE kind = 'referral_payable') a
          FULL JOIN (SELECT referrer_id, currency, sum(amount_micros - reverted_micros - offset_micros) AS room FROM referral_rewards WHERE state = 'available' GROUP BY 1, 2) w
            ON w.referrer_id = a.owner AND w.currency = a.currency
          WHERE coalesce(a.balance_micros, 0) <> coalesce(w.room, 0)
          UNION ALL
          SELECT c.currency FROM (SELECT DISTINCT currency FROM ledger_accounts) c WHERE
          coalesce((SELECT sum(e.amount_micros) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE a.kind = 'payouts_pending' AND a.currency = c.currency), 0)
          <> coalesce((SELECT sum(s.amount_micros) FROM referral_settlements s WHERE s.state = 'requested' AND s.currency = c.currency), 0)`,
  },
  {
    rule: 'each reward became payable once, and left once at most: by the one settlement that carries it',
    sql: `SELECT w.id FROM referral_rewards w LEFT JOIN ledger_transfers t ON t.key = 'reward:' || w.id
          WHERE w.state = 'pending' AND t.id IS NOT NULL OR w.state IN ('available', 'requested', 'paid_out', 'moved') AND t.id IS NULL
          UNION ALL
          SELECT s.id FROM referral_settlements s LEFT JOIN referral_rewards w ON w.settlement_id = s.id WHERE s.state IN ('moved', 'requested', 'paid')
          GROUP BY s.id, s.amount_micros HAVING coalesce(sum(w.settled_micros), 0) <> s.amount_micros
          UNION ALL
          SELECT s.id FROM referral_settlements s LEFT JOIN ledger_transfers t ON t.key IN ('reward_move:' || s.id, 'payout_paid:' || s.id)
          WHERE (s.state IN ('moved', 'paid')) <> (t.id IS NOT NULL) OR t.amount_micros <> s.amount_micros`,
  },
  {
    rule: 'what of a reward was taken back has its causes, and what had left by then is owed or was paid by later rewards',
    sql: `SELECT w.id FROM referral_rewards w LEFT JOIN referral_reversals x ON x.reward_id = w.id GROUP BY w.id HAVING coalesce(sum(x.amount_micros), 0) <> w.reverted_micros
          UNION ALL
          SELECT coalesce(a.owner, w.referrer_id) FROM (SELECT owner, currency, balance_micros FROM ledger_accounts WHERE kind = 'referral_debt') a
          FULL JOIN (SELECT referrer_id, currency, sum(CASE WHEN state IN ('paid_out', 'moved') THEN reverted_micros + offset_micros + settled_micros - amount_micros ELSE 0 END - offset_micros) AS owed
                     FROM referral_rewards GROUP BY 1, 2) w ON w.referrer_id = a.owner AND w.currency = a.currency
          WHERE coalesce(-a.balance_micros, 0) <> coalesce(w.owed, 0)`,
  },
  {
    rule: 'the uses a promotion counts are its uses, within its limits, and each follows its order, choice or payment',
    sql: `SELECT p.id FROM promotions p LEFT JOIN promotion_uses u ON u.promotion_id = p.id AND u.state <> 'released'
          GROUP BY p.id, p.used HAVING count(u.id) <> p.used
          UNION ALL SELECT u.id FROM promotion_uses u LEFT JOIN orders o ON o.id = u.subject_id AND o.promotion_id = u.promotion_id
          WHERE u.subject_kind = 'order' AND (o.id IS NULL OR u.state <> CASE WHEN o.state IN ('placed', 'delivering', 'unknown') THEN 'reserved'
            WHEN o.state IN ('failed', 'cancelled') THEN 'released' ELSE 'consumed' END)
          UNION ALL SELECT u.id FROM promotion_uses u LEFT JOIN order_intents i ON i.id = u.subject_id AND i.promotion_id = u.promotion_id
          WHERE u.subject_kind = 'intent' AND (i.id IS NULL OR u.state <> CASE i.state WHEN 'waiting' THEN 'reserved' ELSE 'released' END)
          UNION ALL SELECT u.id FROM promotion_uses u LEFT JOIN payments p ON p.id = u.subject_id AND p.promotion_id = u.promotion_id
          WHERE u.subject_kind = 'payment' AND (p.id IS NULL OR u.state = 'consumed' AND p.credited_at IS NULL OR u.state = 'reserved' AND p.credited_at IS NOT NULL)
          UNION ALL SELECT o.id FROM orders o WHERE o.promotion_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM promotion_uses u WHERE u.subject_kind = 'order' AND u.subject_id = o.id AND u.promotion_id = o.promotion_id)`,
  },
  {
    rule: 'what an order costs and what its code took off are its price',
    sql: `SELECT o.id FROM orders o LEFT JOIN promotion_uses u ON u.subject_kind = 'order' AND u.subject_id = o.id
          WHERE o.unit_price_micros * o.quantity - o.discount_micros <> o.total_micros + o.promotion_micros
             OR coalesce(u.amount_micros, 0) > o.promotion_micros OR u.state = 'reserved' AND u.amount_micros <> o.promotion_micros`,
  },
  {
    rule: 'each bonus that was given has its transfer, and what came back of it its own',
    sql: `SELECT u.id FROM promotion_uses u LEFT JOIN ledger_transfers t ON t.key = 'promotion_bonus:' || u.id WHERE u.subject_kind = 'payment'
          AND coalesce(t.amount_micros, 0) <> CASE u.state WHEN 'consumed' THEN u.amount_micros ELSE 0 END
          UNION ALL SELECT t.key FROM ledger_transfers t WHERE t.key LIKE 'promotion\\_bonus:%' AND NOT EXISTS (SELECT 1 FROM promotion_uses u WHERE u.id = t.source_id)
          UNION ALL SELECT u.id FROM promotion_uses u LEFT JOIN ledger_transfers t ON t.source_kind = 'promotion' AND t.source_id = u.id AND t.key LIKE 'bonus\\_%'
          WHERE u.subject_kind = 'payment' GROUP BY u.id, u.returned_micros
          HAVING coalesce(sum(CASE WHEN t.key LIKE 'bonus\\_back:%' THEN t.amount_micros ELSE -t.amount_micros END), 0) <> u.returned_micros`,
  },
  {
    rule: 'each voucher that was redeemed has its transfer, once, to whoever redeemed it',
    sql: `SELECT v.id FROM vouchers v JOIN voucher_batches b ON b.id = v.batch_id LEFT JOIN ledger_transfers t ON t.key = 'voucher:' || v.id
          LEFT JOIN ledger_accounts a ON a.id = t.to_account_id
          WHERE (v.redeemed_at IS NULL) <> (t.id IS NULL) OR t.amount_micros <> b.amount_micros OR a.owner <> v.redeemed_by
          UNION ALL SELECT t.key FROM ledger_transfers t WHERE t.key LIKE 'voucher:%' AND NOT EXISTS (SELECT 1 FROM vouchers v WHERE v.id = t.source_id)`,
  },
]

/** Proves the books: the ledger's own rules and the shop's. Reads whole tables: minutes on a big shop, so it belongs to the night. */
export async function checkBooks(database: Database = db()): Promise<LedgerReport> {
  return checkRules([...LEDGER_RULES, ...SHOP_RULES], database)
}
