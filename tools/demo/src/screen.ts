import type { Progress } from './progress.ts';

const BAR = 24;

/** Shows progress: on a terminal in place, elsewhere a line whenever it changed. */
export interface Screen {
  say(line: string): void;
  progress(progress: Progress): void;
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  let drawn = 0;
  let last = '';
  return {
    say(line) {
      out.write(`${line}\n`);
      drawn = 0;
    },
    progress(progress) {
      const text = progressLines(progress).join('\n');
      if (text === last) return;
      last = text;
      if (out.isTTY) {
        if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
        out.write(`${text}\n`);
        drawn = text.split('\n').length;
      } else {
        out.write(
          `${progress.instances} instances, ${progress.serverInfos} ServerInfos, ` +
            `${progress.labelled}/${progress.agents} agents labelled\n`,
        );
      }
    },
  };
}

function progressLines({ instances, serverInfos, agents, labelled }: Progress): string[] {
  return [
    `  instances found     ${String(instances).padStart(4)}`,
    `  ServerInfos stored  ${String(serverInfos).padStart(4)}  ${bar(serverInfos, instances)}`,
    `  agents labelled     ${String(labelled).padStart(4)}  ${bar(labelled, agents)}`,
  ];
}

function bar(part: number, whole: number): string {
  const filled = whole === 0 ? 0 : Math.round((BAR * Math.min(part, whole)) / whole);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
}
