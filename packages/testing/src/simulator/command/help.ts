export const help = `Simulates random runs by a random schedule with random faults, and looks for broken promises.

  npm run simulate -- [options]

  --seeds N    how many seeds to play (1000)
  --from S     the first of them (1); one violation is played again with --seeds 1 --from S
  --mutants    plants one bug after another, and tells which seed finds it
  --json       for programs: the last line of stdout is JSON
  --help, -h   this

The last line is \`N seeds, V violations\`; a violation comes with its seed, the commit and the shortest trace that
shows it. The exit code is 0 when nothing was found, 1 when something was, 2 for what cannot be carried out.
`
