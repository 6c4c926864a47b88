import { db, Prisma } from '@/lib/db'
import { DAY_MS } from '@/lib/kit'
import { issueInvoice, issueReceipt, issueRenewalInvoice } from './issue-paper'

/** How far back the run of each minute looks: a payment is asked about for two days, an order ends within hours. */
const RECENT_MS = 3 * DAY_MS
const BATCH = 100
/** What one run issues at most, so that it ends within its minute. */
const RUN_MAX = 2_000

/**
 * Issues receipts and invoices for what was credited, delivered or renewed and has none yet, the oldest first. Looks at what began in the last three days, or
 * with `everything` at all there is, for what came later than anybody expected. One that cannot be issued does not keep others waiting: it is
 * tried again with the next run, and the run ends with its error.
 */
export async function issueDue(input: { everything: boolean; now?: Date }): Promise<{ issued: number }> {
  const since = input.everything ? new Date(0) : new Date((input.now ?? new Date()).getTime() - RECENT_MS)
  const failures: unknown[] = []
  let issued = 0
  for (const { list, issue } of [
    { list: listPaymentsDue, issue: (paymentId: string) => issueReceipt({ paymentId }) },
    { list: listOrdersDue, issue: (orderId: string) => issueInvoice({ orderId }) },
    { list: listRenewalsDue, issue: (renewalId: string) => issueRenewalInvoice({ renewalId }) },
  ]) {
    const failed: string[] = []
    for (let taken = 0; taken < RUN_MAX; taken += BATCH) {
      const due = await list(since, failed)
      for (const { id } of due) {
        try {
          if ((await issue(id)).ok) issued += 1
          else failed.push(id)
        } catch (error) {
          failures.push(error)
          failed.push(id)
        }
      }
      if (due.length < BATCH) break
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} papers could not be issued`)
  return { issued }
}

/** Read across modules by one query, because only the database can tell cheaply what of theirs has nothing here yet. */
function listPaymentsDue(since: Date, except: string[]): Promise<{ id: string }[]> {
  return db().$queryRaw(Prisma.sql`
    SELECT p.id FROM payments p
    WHERE p.credited_at IS NOT NULL AND p.state IN ('credited', 'disputed', 'charged_back', 'refunded') AND p.created_at >= ${since}::timestamptz
      AND NOT p.id = ANY (${except}) AND NOT EXISTS (SELECT 1 FROM papers x WHERE x.kind = 'receipt' AND x.subject_id = p.id)
    ORDER BY p.credited_at, p.id LIMIT ${BATCH}::int`)
}

function listOrdersDue(since: Date, except: string[]): Promise<{ id: string }[]> {
  return db().$queryRaw(Prisma.sql`
    SELECT o.id FROM orders o
    WHERE o.delivered_at IS NOT NULL AND o.state NOT IN ('failed', 'cancelled') AND o.placed_at >= ${since}::timestamptz
      AND NOT o.id = ANY (${except}) AND NOT EXISTS (SELECT 1 FROM papers x WHERE x.kind = 'invoice' AND x.subject_id = o.id)
    ORDER BY o.delivered_at, o.id LIMIT ${BATCH}::int`)
}

function listRenewalsDue(since: Date, except: string[]): Promise<{ id: string }[]> {
  return db().$queryRaw(Prisma.sql`
    SELECT r.id FROM renewals r
    WHERE r.state = 'done' AND r.created_at >= ${since}::timestamptz
      AND NOT r.id = ANY (${except}) AND NOT EXISTS (SELECT 1 FROM papers x WHERE x.kind = 'invoice' AND x.subject_id = r.id)
    ORDER BY r.created_at, r.id LIMIT ${BATCH}::int`)
}
