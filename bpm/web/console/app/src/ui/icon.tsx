// Small line drawings on a grid of 16, in the colour of the text beside them.

const PATHS = {
  overview: "M2.5 9.5 8 3l5.5 6.5M4 8v5h8V8",
  requests: "M2 8h9M7.5 4 12 8l-4.5 4M14 3v10",
  rules: "M3 4h10M3 8h6M3 12h8M12.5 8v.01",
  dead: "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.01",
  processes: "M2 6h4v4H2zM10 2h4v4h-4zM10 10h4v4h-4zM6 8h2V4h2M8 8v4h2",
  deliveries: "M14 2 7 9M14 2 9.5 14 7 9 2 6.5z",
  scripts: "M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4",
  administration: "M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8zM2.5 14c.5-3 2.7-4 5.5-4s5 1 5.5 4",
  anything: "M8 2.5v11M2.5 8h11M4 4l8 8M12 4l-8 8",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
  close: "M4 4l8 8M12 4l-8 8",
  menu: "M2 4h12M2 8h12M2 12h12",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  again: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  left: "M10 4 6 8l4 4",
  right: "M6 4l4 4-4 4",
  plus: "M8 3v10M3 8h10",
  out: "M6 2.5H2.5v11H6M6.5 8H14M11 5l3 3-3 3",
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
