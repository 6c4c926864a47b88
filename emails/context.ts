import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { formatMoney } from '@/lib/kit'
import type { MailLook } from '@/lib/notifications'

/** What every template needs to put its props into the reader's words and the shop's colours. */
export function mailContext(locale: string, look: MailLook) {
  const say = translator(locale, 'emails')
  const shop = env().SHOP_NAME
  return {
    say,
    shop,
    look,
    locale,
    /** An amount in micros as text, in the reader's writing. */
    money: (micros: string, currency: string) => formatMoney(BigInt(micros), currency, locale),
    /** An exact time. Mails do not know where their reader is, so it is UTC, and says so. */
    time: (iso: string) =>
      new Intl.DateTimeFormat(locale, {
        dateStyle: 'long',
        timeStyle: 'short',
        timeZone: 'UTC',
      }).format(new Date(iso)) + ' UTC',
    url: (path: string) => new URL(path, env().PUBLIC_URL).toString(),
    /** What all mails share. */
    frame: (username?: string) => ({
      locale,
      look,
      greeting: username === undefined ? say('greetingPlain') : say('greeting', { username }),
      linkHelp: say('linkHelp'),
      footer: say('footer', { shop }),
    }),
  }
}

export type MailContext = ReturnType<typeof mailContext>

/** A template: from props to subject and content. Its preview data is what the tests and the preview render. */
export type MailTemplate<Props> = {
  subject: (props: Props, context: MailContext) => string
  Mail: (props: { props: Props; context: MailContext }) => React.ReactElement
  preview: Props
}
