import { Fragment, type ReactNode } from 'react'
import { Img } from 'react-email'
import { isWayOut, linkPlace, parseBody, type Piece, piecesOf, sayTopic } from '@/lib/marketing'
import { topicSchema } from '@/lib/marketing/schemas'
import type { EmailProps } from '@/lib/notifications'
import type { MailContext, MailTemplate } from './context'
import { MailLayout, MailLink, Paragraph } from './layout'

/** `imageUrl`: of a mail that is measured; its links have places of their own then, but for the ways out. */
type Reader = { name: string; preferencesUrl: string; imageUrl?: string | undefined }

/** A subject with the reader's name in its place. */
export function nameIn(subject: string, name: string): string {
  return piecesOf(subject)
    .map((piece) => (piece.kind === 'name' ? name : piece.text))
    .join('')
}

const words = (parts: Piece[], name: string): ReactNode =>
  parts.map((part) => (part.kind === 'name' ? name : part.text))

/** A campaign: what staff wrote, why it came, and the way out. All of it is text to React, which escapes it. */
export function CampaignMailView({
  text,
  reader,
  context,
}: {
  text: { subject: string; body: string; topic: string }
  reader: Reader
  context: MailContext
}) {
  const { say, look, locale } = context
  return (
    <MailLayout
      locale={locale}
      look={look}
      preview={say('campaign.preview', { subject: nameIn(text.subject, reader.name) })}
      paragraphs={[]}
      footer={
        <>
          {say('campaign.why', { topic: sayTopic(topicSchema.parse(text.topic), locale) })}{' '}
          <MailLink href={reader.preferencesUrl} accent={look.accent} isSmall>
            {say('campaign.change')}
          </MailLink>
        </>
      }
    >
      {parseBody(text.body).map((lines, index) => (
        <Paragraph key={index}>
          {lines.map((line, number) => (
            <Fragment key={number}>
              {number > 0 && <br />}
              {line.map((piece, place) => {
                if (piece.kind === 'name') return reader.name
                if (piece.kind === 'text') return piece.text
                if (piece.kind === 'bold') return <strong key={place}>{words(piece.parts, reader.name)}</strong>
                const href = reader.imageUrl && !isWayOut(piece.url) ? linkPlace(piece.number) : piece.url
                return (
                  <MailLink key={place} href={href} accent={look.accent}>
                    {words(piece.parts, reader.name)}
                  </MailLink>
                )
              })}
            </Fragment>
          ))}
        </Paragraph>
      ))}
      {reader.imageUrl && <Img src={reader.imageUrl} width="1" height="1" alt="" />}
    </MailLayout>
  )
}

/** The same in the mailbox of whoever wrote it, marked as a test. */
export const campaignTest: MailTemplate<EmailProps['campaign_test']> = {
  subject: (props, { say }) => say('campaign.test', { subject: nameIn(props.subject, props.username) }),
  Mail: ({ props, context }) => (
    <CampaignMailView
      text={props}
      reader={{ name: props.username, preferencesUrl: props.preferencesUrl }}
      context={context}
    />
  ),
  preview: {
    username: 'ann',
    subject: 'Proxies in Norway',
    body: 'Hello {name},\n\nsince this week there are **ISP proxies in Norway**, from one day on.\nThey are tested like all others.\n\n[See the catalogue](https://shop.example/catalogue)',
    topic: 'news',
    preferencesUrl: 'http://localhost:3000/preferences?token=0123456789',
  },
}
