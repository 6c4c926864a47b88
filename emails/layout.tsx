import type { ReactNode } from 'react'
import { Body, Button, Container, Head, Hr, Html, Link, Preview, Section, Text } from 'react-email'

/** Mail programs know no variables and half of CSS; so the few values a mail needs are written out, and light only. */
const COLORS = { text: '#12191c', muted: '#566368', border: '#dde3e5', accent: '#0f6b6b', page: '#f4f6f6' }
const FONT = "Inter, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"
const paragraph = { fontSize: 15, lineHeight: '24px', color: COLORS.text, margin: '0 0 16px' }
const small = { ...paragraph, fontSize: 13, lineHeight: '20px', color: COLORS.muted }

export type MailContent = {
  locale: string
  shop: string
  preview: string
  greeting: string
  paragraphs: string[]
  /** Pairs of name and value, for sums and numbers. */
  facts?: [string, string][]
  action?: { label: string; url: string }
  linkHelp: string
  /** What follows the button: what to do if it was not you. */
  after?: ReactNode
  footer: string
}

/** The one shape of all our mails: a greeting, what happened, the figures, one button, and why this mail came. */
export function MailLayout(mail: MailContent) {
  return (
    <Html lang={mail.locale}>
      <Head />
      <Preview>{mail.preview}</Preview>
      <Body style={{ backgroundColor: COLORS.page, fontFamily: FONT, margin: 0, padding: '24px 0' }}>
        <Container
          style={{
            backgroundColor: '#ffffff',
            border: `1px solid ${COLORS.border}`,
            borderRadius: 8,
            padding: 32,
            maxWidth: 560,
          }}
        >
          <Text style={{ ...paragraph, fontWeight: 600, fontSize: 16 }}>{mail.shop}</Text>
          <Text style={paragraph}>{mail.greeting}</Text>
          {mail.paragraphs.map((text) => (
            <Text key={text} style={paragraph}>
              {text}
            </Text>
          ))}
          {mail.facts && <Facts facts={mail.facts} />}
          {mail.action && (
            <Section style={{ margin: '24px 0' }}>
              <Button
                href={mail.action.url}
                style={{
                  backgroundColor: COLORS.accent,
                  color: '#ffffff',
                  borderRadius: 8,
                  padding: '12px 20px',
                  fontSize: 15,
                  fontWeight: 600,
                }}
              >
                {mail.action.label}
              </Button>
              <Text style={{ ...small, margin: '16px 0 0' }}>{mail.linkHelp}</Text>
              <Link href={mail.action.url} style={{ ...small, color: COLORS.accent, wordBreak: 'break-all' }}>
                {mail.action.url}
              </Link>
            </Section>
          )}
          {mail.after && <Text style={paragraph}>{mail.after}</Text>}
          <Hr style={{ borderColor: COLORS.border, margin: '24px 0 16px' }} />
          <Text style={{ ...small, margin: 0 }}>{mail.footer}</Text>
        </Container>
      </Body>
    </Html>
  )
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <table role="presentation" width="100%" cellPadding={0} cellSpacing={0} style={{ margin: '8px 0 16px' }}>
      <tbody>
        {facts.map(([name, value]) => (
          <tr key={name}>
            <td style={{ ...small, padding: '8px 16px 8px 0', borderTop: `1px solid ${COLORS.border}` }}>{name}</td>
            <td
              style={{
                ...paragraph,
                fontSize: 14,
                margin: 0,
                padding: '8px 0',
                borderTop: `1px solid ${COLORS.border}`,
                textAlign: 'right',
                wordBreak: 'break-all',
              }}
            >
              {value}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
