import { Prisma, type Tx } from '@/lib/db'

/**
 * Takes back the share of a top-up's bonus that belongs to what goes back of the top-up, as far as it is still there: a gift that was spent is not chased.
 * Once per return (a refund's or a dispute's id). The caller holds the payment's lock and has taken the money itself before. Returns what was taken.
 */
export async function takeBonusBack(
  tx: Tx,
  input: { paymentId: string; returnId: string; amountMicros: bigint; now: Date },
): Promise<bigint> {
  const { paymentId, returnId, amountMicros, now } = input
  const [row] = await tx.$queryRaw<{ taken: bigint }[]>(Prisma.sql`
    SELECT take_bonus_back(${paymentId}, ${returnId}, ${amountMicros}::bigint, ${now}::timestamptz) AS taken`)
  return row!.taken
}

/** Gives again what takeBonusBack took for a return that came to nothing: a refund that failed, a dispute that was won. Once. */
export async function giveBonusAgain(tx: Tx, input: { paymentId: string; returnId: string; now: Date }): Promise<void> {
  const { paymentId, returnId, now } = input
  await tx.$queryRaw(Prisma.sql`SELECT give_bonus_again(${paymentId}, ${returnId}, ${now}::timestamptz)`)
}
