import type { Locks } from '#state/tab-lead.ts';
import type { DiskUser } from './disk.ts';
import type { SimTime } from './time.ts';

/** Web Locks of one machine: of all its tabs one holds the lock, and a dead one lets go. */
export interface MachineLocks {
	readonly of: (user: DiskUser) => Locks;
	/** A tab ended: what it held goes to the next in line. */
	readonly left: (user: DiskUser) => void;
}

interface Standing {
	readonly user: DiskUser;
	readonly held: () => Promise<void>;
	readonly end: (fault?: Error) => void;
}

function aborted(): Error {
	return new DOMException('the lock was given up', 'AbortError');
}

export function createLocks(time: SimTime): MachineLocks {
	let holder: Standing | undefined;
	const line: Standing[] = [];

	function grant(next: Standing): void {
		holder = next;
		next.held().then(
			() => {
				next.end();
				release(next);
			},
			() => {
				release(next);
			}
		);
	}

	function release(done: Standing): void {
		if (holder !== done) return;
		holder = undefined;
		pump();
	}

	/** A moment later, as another process is told. */
	function pump(): void {
		time.after(1, () => {
			if (holder !== undefined) return;
			const next = line.shift();
			if (next?.user.isDead() === true) pump();
			else if (next !== undefined) grant(next);
		});
	}

	function leave(standing: Standing): void {
		const at = line.indexOf(standing);
		if (at >= 0) line.splice(at, 1);
	}

	return {
		of: (user) => ({
			request: (_name, { signal, steal = false }, held) =>
				new Promise<void>((resolve, reject) => {
					const end = (fault?: Error): void => {
						if (user.isDead()) return;
						if (fault === undefined) resolve();
						else reject(fault);
					};
					const standing = { user, held, end };
					signal?.addEventListener('abort', () => {
						if (!line.includes(standing)) return;
						leave(standing);
						end(aborted());
					});
					if (!steal) {
						line.push(standing);
						pump();
						return;
					}
					const before = holder;
					grant(standing);
					before?.end(aborted());
				})
		}),
		left: (user) => {
			for (const standing of [...line]) if (standing.user === user) leave(standing);
			if (holder?.user !== user) return;
			holder = undefined;
			pump();
		}
	};
}
