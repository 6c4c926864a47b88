/** The few pictures of the menus, drawn on the server: an icon library would send its own script along for them. */
const PATHS = {
  overview: 'M4 4h6v8H4zM14 4h6v5h-6zM14 13h6v7h-6zM4 16h6v4H4z',
  cart: 'M3 4h2l2.2 11h10.3L20 7H6M9 20h.01M17 20h.01',
  list: 'M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01',
  nodes: 'M12 3v6M12 15v6M9 12a3 3 0 1 0 6 0 3 3 0 0 0-6 0M5 21h14',
  coin: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M14.5 9.5c-.5-1-1.4-1.5-2.5-1.5-3.3 0-3.3 4 0 4s3.3 4 0 4c-1.1 0-2-.5-2.5-1.5M12 6.5V8M12 16v1.5',
  bell: 'M6 10a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7M10 20.5a2.2 2.2 0 0 0 4 0',
  share:
    'M18 8a3 3 0 1 0-6 0 3 3 0 0 0 6 0M9 12a3 3 0 1 0-6 0 3 3 0 0 0 6 0M18 16a3 3 0 1 0-6 0 3 3 0 0 0 6 0M8.6 10.6l3.8-1.9M8.6 13.4l3.8 1.5',
  sliders: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4',
} as const

export type IconName = keyof typeof PATHS

/** Stands beside a word, so it has no name of its own. */
export function Icon({ name, className }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      aria-hidden="true"
      className={className}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
