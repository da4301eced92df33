// The figures as one SVG: a bar for each, as long as the part of its aim that it reaches; a line where "at least" is.
// Drawn by hand: it is a list of rectangles, and a chart library would be larger than all of the benchmarks.
import { changeText, type Comparison } from './baseline.ts'
import { numberText, partOfAim, isReached, type Figure } from './figures.ts'

const width = 760
const labelWidth = 250
const barWidth = 360
const rowHeight = 34
const top = 52
/** Of the aim: a longer bar is cut, with its number beside it. */
const partMax = 1.25

/** An SVG of the figures that have a goal, with the change where they are compared. */
export function chartSvg(title: string, figures: readonly Figure[], comparison?: Comparison): string {
  const rows = figures.flatMap((figure) => (figure.goal === undefined ? [] : [{ figure, goal: figure.goal }]))
  const height = top + rows.length * rowHeight + 24
  const xOf = (part: number): number => Math.round(labelWidth + (Math.min(part, partMax) / partMax) * barWidth)
  const bars = rows.map(({ figure, goal }, index) => {
    const y = top + index * rowHeight
    const former = comparison?.figures.find(({ what }) => what === figure.what)
    const change = former === undefined ? '' : ` (${changeText(former.change)})`
    const atLeast = xOf(partOfAim({ ...figure, value: goal.atLeast }, goal))
    const colour = isReached(figure, goal) ? '#2f855a' : '#c05621'
    return [
      `<text x="${labelWidth - 12}" y="${y + 15}" text-anchor="end">${escape(figure.what)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${barWidth}" height="20" fill="#edf2f7"/>`,
      `<rect x="${labelWidth}" y="${y}" width="${xOf(partOfAim(figure, goal)) - labelWidth}" height="20" fill="${colour}"/>`,
      `<line x1="${atLeast}" y1="${y - 4}" x2="${atLeast}" y2="${y + 24}" stroke="#1a202c" stroke-width="2"/>`,
      `<text x="${labelWidth + barWidth + 12}" y="${y + 15}">${numberText(figure.value)} ${figure.unit}${change}</text>`,
    ].join('\n')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#1a202c">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="24" font-size="15" font-weight="600">${escape(title)}</text>`,
    `<line x1="${xOf(1)}" y1="${top - 10}" x2="${xOf(1)}" y2="${height - 18}" stroke="#718096" stroke-dasharray="3 3"/>`,
    `<text x="${xOf(1)}" y="${top - 14}" text-anchor="middle" font-size="11" fill="#718096">aim</text>`,
    ...bars,
    `<text x="${labelWidth}" y="${height - 6}" font-size="11" fill="#718096">black line: at least</text>`,
    '</svg>',
    '',
  ].join('\n')
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
