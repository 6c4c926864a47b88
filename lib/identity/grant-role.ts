import { recordAudit, SYSTEM } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import type { Role } from './permissions'

/** Gives the account with this address another role, from the operator's own shell, and ends its sessions: a right is taken up by signing in anew. Refuses `not_found`. */
export async function grantRole(input: {
  email: string
  role: Role
}): Promise<Result<{ userId: string }, Refusal<'not_found'>>> {
  return inTransaction<{ userId: string }, Refusal<'not_found'>>(async (tx) => {
    const user = await tx.user.findUnique({
      where: { email: input.email.trim().toLowerCase() },
      select: { id: true, role: true },
    })
    if (!user) return refused('not_found')
    await tx.user.update({ where: { id: user.id }, data: { role: input.role }, select: { id: true } })
    await tx.session.updateMany({ where: { userId: user.id, revokedAt: null }, data: { revokedAt: new Date() } })
    await recordAudit(tx, SYSTEM, {
      action: 'identity.role_granted',
      subjectKind: 'user',
      subjectId: user.id,
      data: { from: user.role, to: input.role },
    })
    return accepted({ userId: user.id })
  })
}
