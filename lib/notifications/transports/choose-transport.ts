import { env } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import { resendTransport } from './resend'
import { smtpTransport } from './smtp'
import type { MailTransport } from './transport'

/** The transport that the settings name. Throws OperationalError when they name none, which production refuses at start. */
export function chooseTransport(): MailTransport {
  const { RESEND_API_KEY, RESEND_API_URL, SMTP_URL } = env()
  if (SMTP_URL) return smtpTransport({ url: SMTP_URL })
  if (RESEND_API_KEY) return resendTransport({ apiKey: RESEND_API_KEY, apiUrl: RESEND_API_URL })
  throw new OperationalError('mail', 'neither RESEND_API_KEY nor SMTP_URL is set')
}

export type TransportInUse = { name: 'resend' | 'smtp' | 'none'; host: string | null; hearsBack: boolean }

/** Which transport the settings name, for a screen: no key, no login. `hearsBack`: whether we are told of mails that come back. */
export function transportInUse(): TransportInUse {
  const { RESEND_API_KEY, RESEND_API_URL, RESEND_WEBHOOK_SECRET, SMTP_URL } = env()
  if (SMTP_URL) return { name: 'smtp', host: new URL(SMTP_URL).host, hearsBack: false }
  if (!RESEND_API_KEY) return { name: 'none', host: null, hearsBack: false }
  const host = new URL(RESEND_API_URL ?? 'https://api.resend.com').host
  return { name: 'resend', host, hearsBack: RESEND_WEBHOOK_SECRET !== undefined }
}
