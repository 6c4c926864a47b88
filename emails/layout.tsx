import type { ReactNode } from 'react'
import { Body, Button, Head, Hr, Html, Link, Preview, Section, Text } from 'react-email'
import { lighterTone, MAIL_DARK, MAIL_WHITE, type MailLook } from '@/lib/notifications'

/** Mail programs know no variables and half of CSS, so the few values a mail needs are written out: the light ones on each element, the dark ones in DARK_STYLES. */
const COLORS = { text: '#12191c', muted: '#566368', border: '#dde3e5', page: '#f4f6f6' }
const DARK = { text: '#e8eef0', muted: '#a3b1b6', border: '#34434a', page: '#0d1214' }
const FONT = "Inter, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"
const paragraph = { fontSize: 16, lineHeight: '25px', color: COLORS.text, margin: '0 0 16px' }
const small = { ...paragraph, fontSize: 14, lineHeight: '21px', color: COLORS.muted }

/** What asks a mail program whether its reader reads in the dark. The preview of staff replaces it to show both. */
export const DARK_QUERY = '@media (prefers-color-scheme: dark)'

/** Mail programs that know no dark mode drop this, or turn the colours round by themselves. `!important` because the light values stand on the elements. */
const darkStyles = (accent: string) => `:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) { .mail-pad { padding: 24px 20px !important; } }
${DARK_QUERY} {
  .mail-page { background-color: ${DARK.page} !important; }
  .mail-card { background-color: ${MAIL_DARK} !important; border-color: ${DARK.border} !important; }
  .mail-text { color: ${DARK.text} !important; }
  .mail-muted { color: ${DARK.muted} !important; }
  .mail-link { color: ${lighterTone(accent)} !important; }
  .mail-line { border-color: ${DARK.border} !important; }
}`

export type MailContent = {
  locale: string
  look: MailLook
  preview: string
  /** Absent where the text brings its own. */
  greeting?: string
  paragraphs: string[]
  /** What stands in place of paragraphs, or after them. */
  children?: ReactNode
  /** Pairs of name and value, for sums and numbers. */
  facts?: [string, string][]
  action?: { label: string; url: string }
  linkHelp?: string
  /** What follows the button: what to do if it was not you. */
  after?: ReactNode
  footer: ReactNode
}

/** The one shape of all our mails: a greeting, what happened, the figures, one button, and why this mail came and from whom. */
export function MailLayout(mail: MailContent) {
  const { accent, logo, footerLines } = mail.look
  return (
    <Html lang={mail.locale}>
      <Head>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <style>{darkStyles(accent)}</style>
      </Head>
      <Preview>{mail.preview}</Preview>
      <Body className="mail-page" style={{ backgroundColor: COLORS.page, fontFamily: FONT, margin: 0 }}>
        <Card>
          <Text className="mail-text" style={{ ...paragraph, fontWeight: 600, fontSize: 18 }}>
            {logo}
          </Text>
          {mail.greeting && <Paragraph>{mail.greeting}</Paragraph>}
          {mail.paragraphs.map((text) => (
            <Paragraph key={text}>{text}</Paragraph>
          ))}
          {mail.children}
          {mail.facts && <Facts facts={mail.facts} />}
          {mail.action && (
            <Section style={{ margin: '24px 0' }}>
              <Button
                href={mail.action.url}
                style={{
                  backgroundColor: accent,
                  color: '#ffffff',
                  borderRadius: 8,
                  // 48 px high at least: a thumb's width.
                  padding: '14px 24px',
                  fontSize: 16,
                  lineHeight: '20px',
                  fontWeight: 600,
                }}
              >
                {mail.action.label}
              </Button>
              <Text className="mail-muted" style={{ ...small, margin: '16px 0 4px' }}>
                {mail.linkHelp}
              </Text>
              <MailLink href={mail.action.url} accent={accent} isSmall />
            </Section>
          )}
          {mail.after && (
            <Text className="mail-text" style={paragraph}>
              {mail.after}
            </Text>
          )}
          <Hr className="mail-line" style={{ borderColor: COLORS.border, margin: '24px 0 16px' }} />
          <Text className="mail-muted" style={{ ...small, margin: 0 }}>
            {mail.footer}
          </Text>
          {footerLines.length > 0 && (
            <Text className="mail-muted" style={{ ...small, margin: '12px 0 0' }}>
              {footerLines.map((line, index) => (
                <span key={index}>
                  {index > 0 && <br />}
                  {line}
                </span>
              ))}
            </Text>
          )}
        </Card>
      </Body>
    </Html>
  )
}

/** One paragraph of a mail, in the colour that can be read in both lights. */
export function Paragraph({ children }: { children: ReactNode }) {
  return (
    <Text className="mail-text" style={paragraph}>
      {children}
    </Text>
  )
}

/** The white card on its page, as tables: the one way that every mail program centres and pads. */
function Card({ children }: { children: ReactNode }) {
  const table = { role: 'presentation', width: '100%', cellPadding: 0, cellSpacing: 0, border: 0 } as const
  return (
    <table {...table} className="mail-page" style={{ backgroundColor: COLORS.page }}>
      <tbody>
        <tr>
          <td align="center" style={{ padding: '24px 0' }}>
            <table
              {...table}
              className="mail-card"
              style={{
                maxWidth: 560,
                textAlign: 'left',
                backgroundColor: MAIL_WHITE,
                border: `1px solid ${COLORS.border}`,
                borderRadius: 8,
              }}
            >
              <tbody>
                <tr>
                  <td className="mail-pad" style={{ padding: 32 }}>
                    {children}
                  </td>
                </tr>
              </tbody>
            </table>
          </td>
        </tr>
      </tbody>
    </table>
  )
}

/** An address in full, in the colour that can be read in both lights. */
export function MailLink({
  href,
  accent,
  isSmall = false,
  children,
}: {
  href: string
  accent: string
  isSmall?: boolean
  /** The words of the link; the address itself without them. */
  children?: ReactNode
}) {
  return (
    <Link
      className="mail-link"
      href={href}
      style={{
        ...(isSmall ? { ...small, lineHeight: '24px' } : {}),
        color: accent,
        overflowWrap: 'anywhere',
        textDecoration: 'underline',
      }}
    >
      {children ?? href}
    </Link>
  )
}

/** More letters in a row than a phone has room for beside the name. */
const LONG_WORD = /\S{19}/

function Facts({ facts }: { facts: [string, string][] }) {
  const line = `1px solid ${COLORS.border}`
  return (
    <table role="presentation" width="100%" cellPadding={0} cellSpacing={0} style={{ margin: '8px 0 16px' }}>
      <tbody>
        {facts.map(([name, value]) => (
          <tr key={name}>
            <td
              className="mail-muted mail-line"
              style={{ ...small, verticalAlign: 'top', padding: '10px 16px 10px 0', borderTop: line }}
            >
              {name}
            </td>
            <td
              className="mail-text mail-line"
              style={{
                ...paragraph,
                fontSize: 15,
                lineHeight: '21px',
                margin: 0,
                verticalAlign: 'top',
                padding: '10px 0',
                borderTop: line,
                textAlign: 'right',
                // Ids and addresses have no spaces to break at; amounts and words keep together.
                overflowWrap: LONG_WORD.test(value) ? 'anywhere' : 'normal',
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
