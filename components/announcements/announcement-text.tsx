import { splitText } from '@/lib/announcements'

/** A plain text with its paragraphs and links. Everything in it is text; links are addresses of pages and nothing else. */
export function AnnouncementText({ text }: { text: string }) {
  return splitText(text).map((lines, paragraph) => (
    <p key={paragraph} className="mt-3 break-words">
      {lines.map((parts, line) => (
        <span key={line}>
          {line > 0 && <br />}
          {parts.map((part, index) =>
            part.href === undefined ? (
              part.text
            ) : (
              <a
                key={index}
                href={part.href}
                rel="noopener noreferrer nofollow"
                className="break-all text-accent underline"
              >
                {part.text}
              </a>
            ),
          )}
        </span>
      ))}
    </p>
  ))
}
