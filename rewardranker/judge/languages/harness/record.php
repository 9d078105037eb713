<?php
// Takes the place of the program in trusted tests, and writes the calls that they make, and the values that
// they expect, to descriptor 3. Exit status 3: tests of a form that is not data.

namespace Judge;

require __DIR__ . '/values.php';

final class Recorder
{
    private static array $calls = [];
    private static array $expected = [];
    /** Stands for the result of the last call until it is compared. */
    private static ?object $pending = null;

    public static function call(array $arguments): object
    {
        if (self::$pending !== null) {
            self::refuse('a call whose result is not compared');
        }
        self::$calls[] = '[' . \implode(',', \array_map(self::encode(...), $arguments)) . ']';
        return self::$pending = new \stdClass();
    }

    public static function expect(mixed $actual, mixed $expected): void
    {
        if (self::$pending === null || $actual !== self::$pending) {
            self::refuse('a check that does not compare the result of a call');
        }
        self::$pending = null;
        self::$expected[] = self::encode($expected);
    }

    public static function write(): void
    {
        if (self::$pending !== null || self::$calls === []) {
            self::refuse('a call whose result is not compared, or no check at all');
        }
        $line = '{"calls":[' . \implode(',', self::$calls) . '],"expected":[' . \implode(',', self::$expected) . "]}\n";
        $file = \fopen('php://fd/3', 'w');
        while ($line !== '') {
            $sent = \fwrite($file, $line);
            if (!$sent) {
                return; // nobody reads
            }
            $line = (string) \substr($line, $sent);
        }
    }

    public static function refuse(string $reason): never
    {
        \fwrite(\STDERR, "these tests cannot be recorded: $reason\n");
        exit(3);
    }

    private static function encode(mixed $value): string
    {
        try {
            return encode($value);
        } catch (Opaque $error) {
            self::refuse('they hold ' . $error->getMessage());
        }
    }
}

try {
    require __DIR__ . '/tests.php';
} catch (\Throwable $error) {
    Recorder::refuse($error->getMessage());
}
Recorder::write();
