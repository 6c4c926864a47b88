import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { type Guesser, limitGuesses } from '@/lib/throttle'
import type { MakeBatchInput } from './schemas'
import { digestOf, digestsOf, newVoucherCode, readVoucherCode } from './voucher-code'

type Staff = Actor & { id: string }

/** Notes a batch of vouchers: their number, what each is worth, until when. Their codes are made by `makeVouchers`, once. Audited. */
export async function createBatch(actor: Staff, input: MakeBatchInput): Promise<{ batchId: string }> {
  const batchId = newId('vbt')
  const { label, amountMicros, count, endsAt } = input
  await inTransaction(async (tx) => {
    await tx.voucherBatch.create({
      data: {
        id: batchId,
        label,
        amountMicros,
        count,
        endsAt: endsAt ?? null,
        currency: env().SHOP_CURRENCY,
        createdBy: actor.id,
      },
      select: { id: true },
    })
    await recordAudit(tx, actor, {
      action: 'promotions.batch_created',
      subjectKind: 'voucher_batch',
      subjectId: batchId,
      data: { amountMicros: amountMicros.toString(), count },
    })
    return accepted(null)
  })
  return { batchId }
}

/**
 * Makes the codes of a batch and returns them: the only time anybody sees them, because only keyed digests are kept. Refuses `not_found`, `codes_made` when
 * they were made before (whoever lost the file withdraws the batch and makes another) and `batch_withdrawn`.
 */
export async function makeVouchers(
  actor: Staff,
  input: { batchId: string },
): Promise<Result<{ codes: string[]; label: string }, Refusal<'not_found' | 'codes_made' | 'batch_withdrawn'>>> {
  return inTransaction<{ codes: string[]; label: string }, Refusal<'not_found' | 'codes_made' | 'batch_withdrawn'>>(
    async (tx) => {
      const { batchId } = input
      const { count: claimed } = await tx.voucherBatch.updateMany({
        where: { id: batchId, madeAt: null, withdrawnAt: null },
        data: { madeAt: new Date() },
      })
      const batch = await tx.voucherBatch.findUnique({
        where: { id: batchId },
        select: { label: true, count: true, withdrawnAt: true },
      })
      if (!batch) return refused('not_found')
      if (claimed === 0) return refused(batch.withdrawnAt ? 'batch_withdrawn' : 'codes_made')
      const codes = Array.from({ length: batch.count }, newVoucherCode)
      await tx.voucher.createMany({
        data: codes.map((code) => ({ id: newId('vch'), batchId, digest: digestOf(readVoucherCode(code)!) })),
      })
      await recordAudit(tx, actor, {
        action: 'promotions.vouchers_made',
        subjectKind: 'voucher_batch',
        subjectId: batchId,
        data: { count: batch.count },
      })
      return accepted({ codes, label: batch.label })
    },
  )
}

/** Makes the vouchers of a batch that nobody has redeemed worthless, for good. Refuses `not_found` and `batch_withdrawn`. Audited. */
export async function withdrawBatch(
  actor: Staff,
  input: { batchId: string },
): Promise<Result<{ unused: number }, Refusal<'not_found' | 'batch_withdrawn'>>> {
  return inTransaction<{ unused: number }, Refusal<'not_found' | 'batch_withdrawn'>>(async (tx) => {
    const { batchId } = input
    // Waits for whoever is redeeming one now: they hold the row against this.
    const { count } = await tx.voucherBatch.updateMany({
      where: { id: batchId, withdrawnAt: null },
      data: { withdrawnAt: new Date() },
    })
    const batch = await tx.voucherBatch.findUnique({ where: { id: batchId }, select: { count: true } })
    if (!batch) return refused('not_found')
    if (count === 0) return refused('batch_withdrawn')
    const unused = batch.count - (await tx.voucher.count({ where: { batchId, redeemedAt: { not: null } } }))
    await recordAudit(tx, actor, {
      action: 'promotions.batch_withdrawn',
      subjectKind: 'voucher_batch',
      subjectId: batchId,
      data: { unused },
    })
    return accepted({ unused })
  })
}

/**
 * Turns a voucher into money on the person's balance, as a gift, once for ever. The same person again is told of the first time (`isRepeat`). One
 * answer, `voucher_not_valid`, for a wrong code, somebody else's, one that is over or withdrawn; tries are counted (`too_many_tries` {seconds}).
 */
export async function redeemVoucher(
  guesser: Guesser,
  input: { voucherCode: string },
  now = new Date(),
): Promise<Result<{ amountMicros: bigint; isRepeat: boolean }, Refusal<'voucher_not_valid' | 'too_many_tries'>>> {
  return limitGuesses('voucher', guesser, async () => {
    const letters = readVoucherCode(input.voucherCode)
    if (!letters) return refused('voucher_not_valid')
    const [row] = await db().$queryRaw<{ outcome: string; amount: bigint }[]>(Prisma.sql`
      SELECT outcome, amount FROM redeem_voucher(${digestsOf(letters)}::text[], ${guesser.id}, ${env().SHOP_CURRENCY}, ${now}::timestamptz)`)
    const { outcome, amount } = row!
    if (outcome === 'not_valid') return refused('voucher_not_valid')
    invariant(outcome === 'redeemed' || outcome === 'repeated', `redeem_voucher answered ${outcome}`)
    return accepted({ amountMicros: amount, isRepeat: outcome === 'repeated' })
  })
}
