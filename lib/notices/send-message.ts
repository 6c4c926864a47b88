import { z } from 'zod'
import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob, enqueue } from '@/lib/jobs'
import { DAY_MS, OperationalError } from '@/lib/kit'
import type { Channel } from './channels/channel'
import { telegramChannel } from './channels/telegram'
import { unlink } from './link-telegram'
import { sayNotice } from './say-notice'
import { openTelegram } from './telegram-account'

/** Named by the SQL function tell_customers. */
export const sendMessageJob = defineJob({
  name: 'notices.send_message',
  payload: z.object({ messageId: z.string() }),
})

/** What could not be sent for a day is no news any more; it stands in the app. */
const OLD_MS = DAY_MS

/** Every channel that can be linked, opened with the operator's settings; null while it is off. Another channel joins here. */
const CHANNELS: Record<string, () => Promise<Channel | null>> = {
  telegram: async () => {
    const settings = await openTelegram()
    return settings && telegramChannel(settings)
  },
}

/**
 * Sends one message through its channel, never twice: the row is claimed before the call, and one whose end nobody knows (silence, a worker killed meanwhile)
 * stays `sending`; its notice is in the app. A chat that takes nothing any more is unlinked. Told to wait, it comes again after that time; otherwise throws
 * OperationalError, and the queue comes again.
 */
export async function sendChannelMessage({ messageId }: { messageId: string }): Promise<void> {
  const where = { id: messageId }
  const claimed = await db().channelMessage.updateMany({
    where: { ...where, state: 'queued' },
    data: { state: 'sending' },
  })
  if (claimed.count === 0) return
  const message = await db().channelMessage.findUniqueOrThrow({
    where,
    select: {
      channel: true,
      userId: true,
      createdAt: true,
      notice: { select: { template: true, props: true } },
    },
  })
  const { userId, channel: name } = message
  const end = (state: 'sent' | 'refused' | 'dropped') =>
    db().channelMessage.updateMany({ where, data: { state, endedAt: new Date() } })
  const back = () => db().channelMessage.updateMany({ where, data: { state: 'queued' } })

  let channel: Channel | null | undefined
  try {
    channel = await CHANNELS[name]?.()
  } catch (error) {
    await back()
    throw error
  }
  const [linked, reader] = await Promise.all([
    db().linkedChannel.findUnique({
      where: { userId_channel: { userId, channel: name } },
      select: { address: true },
    }),
    db().user.findUnique({ where: { id: userId }, select: { locale: true } }),
  ])
  if (!channel || !linked || !reader || Date.now() - message.createdAt.getTime() > OLD_MS)
    return void (await end('dropped'))

  const said = sayNotice(message.notice, { locale: reader.locale, timeZone: 'UTC' })
  const url = new URL(said.path, env().PUBLIC_URL).toString()
  const result = await channel.send(linked.address, { title: said.title, line: said.line, url })
  switch (result.outcome) {
    case 'sent':
      return void (await end('sent'))
    case 'unknown':
      return
    case 'refused':
      await end('refused')
      if (result.isGone) await db().$transaction((tx) => unlink(tx, { userId, address: linked.address }, 'blocked'))
      return
    case 'later': {
      const { retryAfterMs } = result
      if (retryAfterMs === null) {
        await back()
        throw new OperationalError(name, result.why)
      }
      await db().$transaction(async (tx) => {
        await tx.channelMessage.updateMany({ where, data: { state: 'queued' } })
        await enqueue(tx, sendMessageJob, { messageId }, { runAt: new Date(Date.now() + retryAfterMs) })
      })
    }
  }
}
