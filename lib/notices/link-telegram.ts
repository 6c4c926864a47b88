import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { accepted, MINUTE_MS, type Refusal, refused, type Result } from '@/lib/kit'
import { findTelegramBot, openTelegram } from './telegram-account'

const CHANNEL = 'telegram'
/** Long enough to find the phone; short enough that a link left open links nobody. */
const LINK_MS = 15 * MINUTE_MS

const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')

/**
 * Makes a link that, opened in Telegram within fifteen minutes, links that chat; told this once, and works once. An earlier one stops working. Refuses
 * `not_found` while the shop has no bot.
 */
export async function startTelegramLink(input: {
  userId: string
}): Promise<Result<{ url: string }, Refusal<'not_found'>>> {
  const bot = await findTelegramBot()
  if (!bot) return refused('not_found')
  const token = randomBytes(24).toString('base64url')
  const row = { tokenDigest: digestOf(token), expiresAt: new Date(Date.now() + LINK_MS) }
  const where = { ...input, channel: CHANNEL }
  await db().channelLink.upsert({
    where: { userId_channel: where },
    create: { ...where, ...row },
    update: row,
    select: { userId: true },
  })
  return accepted({ url: `${bot.chatUrl}?start=${token}` })
}

/** Unlinks somebody's chat; nothing more is sent there, also of what is on its way. Nothing to do when none is linked. */
export async function unlinkTelegram(input: { userId: string }): Promise<void> {
  await inTransaction(async (tx) => {
    await unlink(tx, input, 'by_hand')
    await tx.channelLink.deleteMany({ where: { ...input, channel: CHANNEL } })
    return accepted(null)
  })
}

/**
 * A chat takes nothing any more: ends its link in the caller's transaction, and drops what is queued for it. Nothing to do when it leads elsewhere by now.
 */
export async function unlinkGoneChat(tx: Tx, linked: { userId: string; address: string }): Promise<void> {
  await unlink(tx, linked, 'blocked')
}

/** Ends links of a channel, by whose or where they lead, and drops what is queued for them. Says whether there was one. */
export async function unlink(
  tx: Tx,
  where: { userId: string; address?: string } | { address: string },
  why: 'by_hand' | 'by_command' | 'blocked',
): Promise<string | null> {
  const linked = await tx.linkedChannel.findFirst({ where: { ...where, channel: CHANNEL }, select: { userId: true } })
  if (!linked) return null
  const { count } = await tx.linkedChannel.deleteMany({ where: { ...where, ...linked, channel: CHANNEL } })
  if (count === 0) return null
  await tx.channelMessage.updateMany({
    where: { ...linked, channel: CHANNEL, state: 'queued' },
    data: { state: 'dropped', endedAt: new Date() },
  })
  await recordAudit(tx, why === 'blocked' ? { kind: 'system' } : { kind: 'user', id: linked.userId }, {
    action: 'channels.unlinked',
    subjectKind: 'user',
    subjectId: linked.userId,
    data: { channel: CHANNEL, why },
  })
  return linked.userId
}

/** What we read of an update; everything else that Telegram sends is dropped unseen. */
const updateSchema = z.object({
  message: z
    .object({
      chat: z.object({ id: z.int(), type: z.string().max(40) }),
      from: z.object({ language_code: z.string().max(40).optional() }).optional(),
      text: z.string().max(10_000).optional(),
    })
    .optional(),
  my_chat_member: z
    .object({
      chat: z.object({ id: z.int(), type: z.string().max(40) }),
      new_chat_member: z.object({ status: z.string().max(40) }),
    })
    .optional(),
})

/** What the bot answers, as a name of words; null for silence. */
export type TelegramReply = {
  chatId: number
  says: 'linked' | 'link_used' | 'link_invalid' | 'chat_taken' | 'unlinked' | 'not_linked' | 'help'
  language: string | undefined
  username: string | null
}

/**
 * Takes what Telegram reports of the bot's chats. Refuses `not_found` while the bot is off, `bad_signature` when the secret does not fit (compared in constant
 * time), `malformed` for what is no JSON object. What it does not know is accepted in silence: Telegram would repeat it for a day. Only private chats count.
 */
export async function receiveTelegramUpdate(
  headers: Headers,
  body: Buffer,
): Promise<Result<TelegramReply | null, Refusal<'not_found' | 'bad_signature' | 'malformed'>>> {
  const bot = await openTelegram()
  if (!bot) return refused('not_found')
  const given = headers.get('x-telegram-bot-api-secret-token') ?? ''
  const hash = (text: string) => createHash('sha256').update(text).digest()
  if (!timingSafeEqual(hash(given), hash(bot.webhookSecret))) return refused('bad_signature')
  let said: unknown
  try {
    said = JSON.parse(body.toString('utf8'))
  } catch {
    return refused('malformed')
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return refused('malformed')
  const update = updateSchema.safeParse(said)
  if (!update.success) return accepted(null)
  const { message, my_chat_member: membership } = update.data
  if (membership?.chat.type === 'private' && membership.new_chat_member.status === 'kicked') {
    await inTransaction(async (tx) => {
      await unlink(tx, { address: String(membership.chat.id) }, 'blocked')
      return accepted(null)
    })
    return accepted(null)
  }
  if (message?.chat.type !== 'private' || !message.text) return accepted(null)
  const chatId = message.chat.id
  const reply = { chatId, language: message.from?.language_code, username: null }
  const [command, token] = message.text.trim().split(/\s+/, 2)
  if (command === '/stop') {
    const stopped = await inTransaction(async (tx) =>
      accepted(await unlink(tx, { address: String(chatId) }, 'by_command')),
    )
    return accepted({ ...reply, says: stopped.ok && stopped.value ? 'unlinked' : 'not_linked' })
  }
  if (command === '/start' && token && /^[A-Za-z0-9_-]{32}$/.test(token))
    return accepted({ ...reply, ...(await linkChat(token, String(chatId))) })
  return accepted({ ...reply, says: 'help' })
}

/**
 * Links a chat to whoever made the token, in place of a chat they had. A chat that is another person's stays so: a link sent by somebody else must not take a chat's
 * notices away. The token is used up only by a link that was made.
 */
async function linkChat(token: string, address: string): Promise<Pick<TelegramReply, 'says' | 'username'>> {
  const linked = await inTransaction<{ username: string }, Refusal<'link_used' | 'link_invalid' | 'chat_taken'>>(
    async (tx) => {
      // Two reports about one chat follow one another; so do two tokens opened in it.
      await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${`telegram:${address}`}, 0))`)
      const [link] = await tx.$queryRaw<{ userId: string; username: string }[]>(Prisma.sql`
        DELETE FROM channel_links l USING users u WHERE l.channel = ${CHANNEL} AND l.token_digest = ${digestOf(token)} AND l.expires_at > now() AND u.id = l.user_id
        RETURNING u.id AS "userId", u.username`)
      const held = await tx.linkedChannel.findUnique({
        where: { channel_address: { channel: CHANNEL, address } },
        select: { userId: true },
      })
      // Telegram repeats a report it got no answer to; by then the token is used up and the chat linked.
      if (!link) return refused(held ? 'link_used' : 'link_invalid')
      if (held && held.userId !== link.userId) return refused('chat_taken')
      const where = { userId: link.userId, channel: CHANNEL }
      await tx.linkedChannel.upsert({
        where: { userId_channel: where },
        create: { ...where, address },
        update: { address, linkedAt: new Date() },
        select: { userId: true },
      })
      await recordAudit(
        tx,
        { kind: 'user', id: link.userId },
        { action: 'channels.linked', subjectKind: 'user', subjectId: link.userId, data: { channel: CHANNEL } },
      )
      return accepted({ username: link.username })
    },
  )
  if (!linked.ok) return { says: linked.refusal.code as 'link_invalid', username: null }
  return { says: 'linked', username: linked.value.username }
}
