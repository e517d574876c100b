import { adapters } from './backends/index.ts'

export const help = `Kills and freezes worker processes, and servers where the adapter has some, while runs of many kinds go on; then looks
for what was lost, doubled or stuck.

  npm run chaos -- [options]

  --adapter A   where the runs are kept: ${adapters.join(', ')} (file)
  --kills K     how many workers to kill (100)
  --seconds S   stop after so long, with fewer kills
  --storm S     for so long workers leave and join again, time and again (kafka: 120, else 0)
  --brokers N   kafka: 3, killed in turn, or 1, stopped and killed in turn (3)
  --seed N      the same runs and victims as another time; not the same instants
  --json        all figures as JSON, in the line before the last
  --help, -h    this

Progress goes to stderr. The last line is \`K kills, Z zombies, S server restarts, R runs: L lost, D doubled, T stuck\`. The exit code is
0 when the last three are, 1 when not, 2 for what cannot be carried out.
`
