'use client'

import { useState, useSyncExternalStore } from 'react'
import { buttonStyles } from '@/components/ui/button-styles'
import { CopyButton } from '@/components/ui/copy-button'
import { fillText } from '@/components/ui/fill-text'
import { type CopiedProxy, formatProxy, PROXY_FORMATS, type ProxyFormat } from './proxy-formats'
import type { ProxyTexts } from './proxy-texts'

/** So many rows are drawn at first; the rest on request. Copying and the files have all of them. */
const SHOWN_AT_FIRST = 50
const LAST_FORMAT = 'sluice_proxy_format'
const MASK = '••••••••'

/** Who wants to know when the format changes: a `storage` event reaches the other tabs only. */
const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function remember(format: ProxyFormat): void {
  localStorage.setItem(LAST_FORMAT, format)
  for (const listener of listeners) listener()
}

/** The proxies of an order: each to copy, all to copy, in the format chosen last. Passwords are drawn only when asked for, one by one. */
export function ProxyList({
  proxies,
  target,
  texts,
}: {
  proxies: (CopiedProxy & { id: string })[]
  target: string
  texts: ProxyTexts
}) {
  const last = useSyncExternalStore(
    subscribe,
    () => localStorage.getItem(LAST_FORMAT),
    () => null,
  )
  const format = PROXY_FORMATS.find((each) => each === last) ?? 'text'
  const [isAll, setIsAll] = useState(false)
  const shown = isAll ? proxies : proxies.slice(0, SHOWN_AT_FIRST)
  return (
    <div className="text-sm">
      <div className="mb-3 flex flex-wrap items-end justify-between gap-3">
        <fieldset className="flex flex-wrap gap-1">
          <legend className="mb-1 text-xs text-muted">{texts.format}</legend>
          {PROXY_FORMATS.map((each) => (
            <label
              key={each}
              className="flex min-h-8 cursor-pointer items-center rounded-md border px-3 font-medium text-muted has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
            >
              <input
                type="radio"
                name="format"
                className="sr-only"
                checked={format === each}
                onChange={() => remember(each)}
              />
              {texts[`format_${each}`]}
            </label>
          ))}
        </fieldset>
        <CopyButton
          value={proxies.map((proxy) => formatProxy(proxy, format, target)).join('\n')}
          what={fillText(texts.copyAll, { count: String(proxies.length) })}
          texts={{ copy: fillText(texts.copyAll, { count: String(proxies.length) }), copied: texts.copied }}
          variant="secondary"
        />
      </div>
      <ol className="divide-y rounded-md border">
        {shown.map((proxy, index) => (
          <li key={proxy.id} className="flex items-center justify-end gap-x-2 py-1 pr-1 pl-3 max-sm:flex-wrap">
            <span className="w-6 shrink-0 text-right text-xs text-muted tabular-nums">{index + 1}</span>
            <Secret proxy={proxy} write={(each) => formatProxy(each, format, target)} texts={texts} />
            <CopyButton
              value={formatProxy(proxy, format, target)}
              what={fillText(texts.copyProxy, { position: String(index + 1) })}
              texts={texts}
              className="shrink-0"
            />
          </li>
        ))}
      </ol>
      {shown.length < proxies.length && (
        <button
          type="button"
          className={buttonStyles({ variant: 'quiet', size: 'sm', className: 'mt-2' })}
          onClick={() => setIsAll(true)}
        >
          {fillText(texts.showMore, { count: String(proxies.length) })}
        </button>
      )}
    </div>
  )
}

/** The command that tests a proxy, its password masked until asked for. */
export function TestCommand({ proxy, target, texts }: { proxy: CopiedProxy; target: string; texts: ProxyTexts }) {
  return (
    <div className="flex items-center justify-end gap-x-2 rounded-md border bg-sunken py-1 pr-1 pl-3 text-sm max-sm:flex-wrap">
      <Secret proxy={proxy} write={(each) => formatProxy(each, 'curl', target)} texts={texts} />
      <CopyButton value={formatProxy(proxy, 'curl', target)} what={texts.copyTest} texts={texts} className="shrink-0" />
    </div>
  )
}

function Secret({
  proxy,
  write,
  texts,
}: {
  proxy: CopiedProxy
  write: (proxy: CopiedProxy) => string
  texts: ProxyTexts
}) {
  const [isOpen, setIsOpen] = useState(false)
  const hidden = 'hidden-password'
  return (
    <>
      <code className="min-w-0 flex-1 py-1 font-mono text-[0.9em] break-all max-sm:basis-[calc(100%-2.5rem)]">
        {isOpen ? write(proxy) : write({ ...proxy, password: hidden }).replace(hidden, MASK)}
      </code>
      <button
        type="button"
        aria-pressed={isOpen}
        aria-label={isOpen ? texts.passwordHide : texts.passwordShow}
        className={buttonStyles({ variant: 'quiet', size: 'sm', className: 'shrink-0' })}
        onClick={() => setIsOpen(!isOpen)}
      >
        {isOpen ? texts.hide : texts.show}
      </button>
    </>
  )
}
