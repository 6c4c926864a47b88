import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, type Refusal, refused, type Result } from '@/lib/kit'
import { FORGOTTEN } from '@/lib/settings'
import { findDefinition } from './providers/definitions'
import { forgetProviders } from './providers/registry'
import { lockProvider } from './save-provider'
import { OPEN_STATES } from './states'

/**
 * Switches a way to pay off and deletes its secrets; addresses, ids and limits stay for the next time. Refuses `payments_open` while payments of it are
 * under way: without the keys their callbacks could not be told from forgeries and nobody could ask for the truth, so money that comes would be lost
 * from sight. Switching off stops new ones; when the last has ended, the keys may go.
 */
export async function forgetProvider(
  actor: Actor,
  name: string,
): Promise<Result<null, Refusal<'unknown_provider' | 'payments_open'>>> {
  if (!findDefinition(name)) return refused('unknown_provider')
  const result = await inTransaction<null, Refusal<'payments_open'>>(async (tx) => {
    await lockProvider(tx, name)
    const count = await tx.payment.count({
      where: {
        provider: name,
        OR: [
          { state: { in: [...OPEN_STATES] } },
          // Ended here, and still asked about for late money.
          { nextCheckAt: { not: null } },
          { refunds: { some: { state: 'sending' } } },
        ],
      },
    })
    if (count > 0) return refused('payments_open', { count })
    await tx.paymentProvider.update({
      where: { name },
      data: { ...FORGOTTEN, updatedAt: new Date() },
      select: { name: true },
    })
    await recordAudit(tx, actor, { action: 'payments.provider_forgotten', subjectKind: 'provider', subjectId: name })
    return accepted(null)
  })
  forgetProviders()
  return result
}
