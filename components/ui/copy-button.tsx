'use client'

import { useEffect, useState } from 'react'
import { type ButtonSize, buttonStyles, type ButtonVariant } from './button-styles'

/**
 * Copies a value, which may have to be fetched first, and says so in place. `what` names the value for a screen reader ("Copy login"). Where the browser keeps the clipboard from us (plain http
 * on another host), it falls back to selecting the text.
 */
export function CopyButton({
  value,
  what,
  texts,
  variant = 'quiet',
  size = 'sm',
  className,
}: {
  value: string | (() => Promise<string>)
  what: string
  texts: { copy: string; copied: string }
  variant?: ButtonVariant
  size?: ButtonSize
  className?: string
}) {
  const [isCopied, setIsCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setIsCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <button
      type="button"
      aria-label={what}
      className={buttonStyles({ variant, size, className })}
      onClick={async () => setIsCopied(await copy(typeof value === 'string' ? value : await value()))}
    >
      <span aria-live="polite">{isCopied ? `✓ ${texts.copied}` : texts.copy}</span>
    </button>
  )
}

async function copy(value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = value
    area.className = 'sr-only'
    document.body.append(area)
    area.select()
    const isDone = document.execCommand('copy')
    area.remove()
    return isDone
  }
}
