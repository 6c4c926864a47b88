import { z } from 'zod'
import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob } from '@/lib/jobs'

export const tellLowBalancesJob = defineJob({
  name: 'notices.tell_low_balances',
  payload: z.object({}),
  maxAttempts: 1,
})

/**
 * Tells whoever's balance fell below the mark they set since the last look, and returns how many. Told once until the balance has been at the mark again; safe any
 * number of times at once. A fall and a rise between two looks is not told: by then it is no longer so.
 */
export async function tellLowBalances(): Promise<number> {
  const [row] = await db().$queryRaw<{ told: number }[]>(
    Prisma.sql`SELECT tell_low_balances(${env().SHOP_CURRENCY}) AS told`,
  )
  return row!.told
}
