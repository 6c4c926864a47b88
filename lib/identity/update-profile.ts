import { recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, type Refusal, type Result, refused } from '@/lib/kit'
import { takenColumn } from './create-account'

/** Changes a person's username and language. Refuses `username_taken`. */
export async function updateProfile(
  userId: string,
  input: { username: string; locale: string },
): Promise<Result<null, Refusal<'username_taken'>>> {
  try {
    return await inTransaction(async (tx) => {
      await tx.user.update({
        where: { id: userId },
        data: { username: input.username, usernameKey: input.username.toLowerCase(), locale: input.locale },
        select: { id: true },
      })
      await recordAudit(
        tx,
        { kind: 'user', id: userId },
        { action: 'identity.profile_updated', subjectKind: 'user', subjectId: userId },
      )
      return accepted(null)
    })
  } catch (error) {
    if (takenColumn(error) === null) throw error
    return refused('username_taken')
  }
}
