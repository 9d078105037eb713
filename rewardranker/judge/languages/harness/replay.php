<?php
// Runs trusted tests of any form against a stand-in for the program's function, which tells nothing of a program but
// what it returned. Without arguments the tests are recorded: the calls that they make are written to descriptor 3. With
// the argument "check" the stand-in returns what the program did (standard input), and the tests' own code decides. They
// are the file "tests", without PHP's opening tag. Exit status 3: they cannot be recorded; 4: they make another call.

namespace Judge;

require __DIR__ . '/values.php';

/** Ends an attempt to run the tests, whatever they catch. */
final class Refused extends \Error
{
}

final class Replay
{
    /** What calls return in turn where nothing is answered, until the tests come to their end. */
    private const STAND_INS = ['', 0, [], true, null];
    private static bool $checking;
    private static mixed $stand_in = null;
    private static array $answers = [];
    private static array $calls = [];
    private static mixed $file;

    public static function main(bool $checking): void
    {
        self::$checking = $checking;
        self::$file = \fopen('php://fd/3', 'w');
        $checking ? self::check_tests() : self::record_tests();
    }

    private static function record_tests(): void
    {
        $reason = '';
        foreach (self::STAND_INS as $attempt => self::$stand_in) {
            self::$calls = [];
            try {
                self::run($attempt);
            } catch (\Throwable $error) {
                $reason = $error->getMessage();
                continue;
            }
            self::$calls !== [] || self::refuse(3, 'they make no call');
            $recorded = \array_map(fn($key) => [false, [], [], $key], self::$calls);
            self::write(\json_encode(['calls' => $recorded], \JSON_UNESCAPED_SLASHES | \JSON_UNESCAPED_UNICODE));
            return;
        }
        self::refuse(3, $reason);
    }

    private static function check_tests(): void
    {
        $lines = \explode("\n", \stream_get_contents(\STDIN));
        for ($at = 0; $at + 1 < \count($lines); $at += 2 + $count) {
            $count = (int) $lines[$at + 1];
            self::$answers[] = [$lines[$at], $count ? $lines[$at + 2] : null];
        }
        try {
            self::run(0);
        } catch (\Throwable $error) {
            self::report('the tests end with ' . $error->getMessage());
            exit(1);
        }
        self::write('[-1]');
    }

    /** In a namespace of its own each time, where the tests' functions are defined anew. */
    private static function run(int $attempt): void
    {
        \mt_srand(1); // the same numbers in every run: the calls have to be the same too
        eval("namespace Judge\\Tests$attempt;\n" . \file_get_contents(__DIR__ . '/tests'));
    }

    /** Takes the place of the function under test. */
    public static function call(array $arguments): mixed
    {
        try {
            $key = '[' . \implode(',', \array_map(encode(...), \array_values($arguments))) . ']';
        } catch (Opaque $error) {
            throw new Refused('they hold ' . $error->getMessage());
        }
        self::$calls[] = $key;
        if (!self::$checking) {
            return self::$stand_in;
        }
        $number = \count(self::$calls) - 1;
        [$known, $value] = self::$answers[$number] ?? [null, null];
        $known === $key || self::refuse(4, 'call ' . ($number + 1) . ' is another one');
        self::write("[$number]");
        return $value === null
            ? throw new Refused('call ' . ($number + 1) . ' has no value')
            : decode(\json_decode($value, true, 512, \JSON_THROW_ON_ERROR));
    }

    /** Takes the place of throwing an exception: a check that is not met, of the last call. */
    public static function wrong(mixed ...$message): void
    {
        self::report(\is_string($message[0] ?? null) ? $message[0] : 'a check is not met');
    }

    /** Takes the place of assert(). */
    public static function check(mixed $truth, mixed $message = 'an assertion fails'): bool
    {
        $truth || self::report(\is_string($message) ? $message : 'an assertion fails');
        return true;
    }

    private static function report(string $message): void
    {
        if (self::$checking) {
            self::write('[' . \max(\count(self::$calls) - 1, 0) . ',' . message($message) . ']');
        }
    }

    private static function refuse(int $status, string $reason): never
    {
        \fwrite(\STDERR, "these tests cannot be recorded: $reason\n");
        exit($status);
    }

    private static function write(string $line): void
    {
        for ($line .= "\n"; $line !== ''; $line = (string) \substr($line, $sent)) {
            $sent = \fwrite(self::$file, $line);
            if (!$sent) {
                return; // nobody reads
            }
        }
    }
}

Replay::main(($argv[1] ?? '') === 'check');
