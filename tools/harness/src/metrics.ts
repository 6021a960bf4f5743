/** The sum of a metric over its label sets that contain the given text; 0 when there are none. */
export function metricSum(text: string, name: string, containing = ''): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(containing))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
