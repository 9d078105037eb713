"""What Java's memory limit counts: what the program allocates, and not what the machine holds for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.judge.sandbox.process import NotStarted
from rewardranker.judge.sandbox.tiers import record
from rewardranker.problems.types import Limits, Test
from rewardranker.problems.verdict import Judgement, Verdict

TIERS = ("A+", "C")
Judged = Callable[[str, str, str, int, int], Judgement]
HELLO = {
    "java": 'class Main { public static void main(String[] a) { System.out.println("done"); } }',
    "csharp": 'class P { static void Main() { System.Console.WriteLine("done"); } }',
    "javascript": 'console.log("done");',
    "php": '<?php\necho "done\\n";',
}
BLOCKS = {
    "a byte array of a MiB each": "List<byte[]> all = new ArrayList<>(); for (int i = 0; i < n; i++) all.add(new byte[1 << 20]); check(all.size() == n);",
    "an int array of 4 MiB each": "List<int[]> all = new ArrayList<>(); for (int i = 0; i < n / 4; i++) all.add(new int[1 << 20]); check(all.size() == n / 4);",
    "16 KiB each": "List<byte[]> all = new ArrayList<>(); for (int i = 0; i < 64 * n; i++) all.add(new byte[(1 << 14) - 16]); check(all.size() == 64 * n);",
    "one array": "long[] all = new long[n << 17]; all[all.length - 1] = n; check(all[0] == 0);",
    "beside the heap": "List<ByteBuffer> all = new ArrayList<>(); for (int i = 0; i < n; i++) { ByteBuffer b = ByteBuffer.allocateDirect(1 << 20); for (int j = 0; j < 1 << 20; j += 4096) b.put(j, (byte) 1); all.add(b); } check(all.size() == n);",
}
THREADS = {
    "a fixed pool": "ExecutorService pool = Executors.newFixedThreadPool(30); CountDownLatch all = new CountDownLatch(30); for (int i = 0; i < 30; i++) pool.submit(() -> { all.countDown(); return null; }); all.await(); pool.shutdown();",
    "futures and parallel streams": "int sum = java.util.stream.IntStream.range(0, 100).parallel().sum(); sum += CompletableFuture.supplyAsync(() -> 50).get(); check(sum == 5000);",
    "a scheduled pool": "ScheduledExecutorService pool = Executors.newScheduledThreadPool(8); check(pool.schedule(() -> 1, 1, TimeUnit.MILLISECONDS).get() == 1); pool.shutdownNow();",
    "a thread with a stack of 256 MiB": 'Thread t = new Thread(null, () -> check(deep(500000) == 500000), "", 1 << 28); t.start(); t.join();',
    "recursion in the main thread": "check(deep(300000) == 300000);",
}


def program(body: str) -> str:
    return (
        "import java.nio.*;\nimport java.util.*;\nimport java.util.concurrent.*;\npublic class Main {\n"
        "    static int deep(int n) { return n == 0 ? 0 : 1 + deep(n - 1); }\n"
        "    static void check(boolean right) { if (!right) throw new IllegalStateException(); }\n"
        "    public static void main(String[] args) throws Exception {\n"
        f'        int n = new Scanner(System.in).nextInt();\n        {body}\n        System.out.println("done");\n    }}\n}}\n'
    )


@pytest.fixture(scope="module")
def judged() -> Iterator[Judged]:
    """A program's judgement: its tier, its text, its limit in MiB, and the number that it reads."""
    judges: dict[str, Judge] = {}

    def run(tier: str, language: str, code: str, limit: int, number: int) -> Judgement:
        need(language)
        try:
            record(tier)
        except NotStarted as error:
            pytest.skip(str(error))
        judges[tier] = judges.get(tier) or Judge(tier=tier)
        limits = Limits(cpu_s=10.0, wall_s=60.0, memory_mb=limit)
        task = problem("stdio", (Test(f"{number}\n", "done\n"),), language=language, limits=limits)
        return judges[tier].run([(task, code)])[0]

    yield run
    for judge in judges.values():
        judge.close()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("language", HELLO)
def test_a_program_that_needs_nothing_fits_into_a_small_limit(judged: Judged, language: str, tier: str) -> None:
    for limit in (16, 64):
        result = judged(tier, language, HELLO[language], limit, 1)
        assert result.verdict is Verdict.OK, (limit, result)


def _quick(kind: str, tier: str, limit: int) -> bool:
    return limit == 64 and (tier == "C" or kind == "a byte array of a MiB each")


@pytest.mark.parametrize(
    ("kind", "tier", "limit"),
    [
        pytest.param(kind, tier, limit, marks=[] if _quick(kind, tier, limit) else [pytest.mark.slow])
        for kind in BLOCKS
        for tier in TIERS
        for limit in (64, 256, 512)
    ],
)
def test_what_a_program_allocates_is_what_counts(judged: Judged, kind: str, tier: str, limit: int) -> None:
    fits = judged(tier, "java", program(BLOCKS[kind]), limit, limit * 4 // 5)
    assert fits.verdict is Verdict.OK, fits
    beyond = judged(tier, "java", program(BLOCKS[kind]), limit, limit * 3 // 2)
    assert beyond.verdict is Verdict.MEMORY, beyond


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("kind", THREADS)
def test_threads_cost_what_they_use(judged: Judged, kind: str, tier: str) -> None:
    for limit in (64, 512) if tier == "C" else (512,):
        result = judged(tier, "java", program(THREADS[kind]), limit, 1)
        assert result.verdict is Verdict.OK, (limit, result)


@pytest.mark.parametrize("tier", TIERS)
def test_memory_that_no_collector_knows_counts_too(judged: Judged, tier: str) -> None:
    take = (
        'java.lang.reflect.Field f = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe"); f.setAccessible(true);'
        " sun.misc.Unsafe u = (sun.misc.Unsafe) f.get(null); long at = u.allocateMemory((long) n << 20);"
        " for (long i = 0; i < (long) n << 20; i += 4096) u.putByte(at + i, (byte) 1);"
    )
    assert judged(tier, "java", program(take), 64, 48).verdict is Verdict.OK
    assert judged(tier, "java", program(take), 64, 1024).verdict is Verdict.MEMORY


def test_no_memory_in_another_thread_than_main_is_told(judged: Judged) -> None:
    body = "Thread t = new Thread(() -> { List<byte[]> all = new ArrayList<>(); while (true) all.add(new byte[1 << 20]); }); t.start(); t.join(); System.exit(1);"
    assert judged("C", "java", program(body), 64, 1).verdict is Verdict.MEMORY
