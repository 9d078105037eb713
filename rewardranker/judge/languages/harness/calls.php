<?php
// Stands before the program and its calls: opens the result stream, and says what ended the program when that
// is an error that cannot be caught. Shares a process with the program, which may take it over: that buys the
// choice of what to answer, and answers are data, compared elsewhere.

namespace Judge;

require __DIR__ . '/values.php';

final class Stream
{
    public static array $job;
    /** What an error that ends the process is an answer to: "load", or "error" during a call. */
    public static string $stage = 'load';
    private static mixed $file;
    private static int $number = 0;

    public static function open(): void
    {
        self::$job = \json_decode(\file_get_contents(__DIR__ . '/calls.json'), true);
        self::$file = \fopen('php://fd/3', 'w');
        \register_shutdown_function([self::class, 'last_words']);
        self::send('"begun"');
    }

    public static function send(string $entries): void
    {
        $line = '[' . text(self::$job['nonce']) . ',' . self::$number++ . ",$entries]\n";
        while ($line !== '') {
            $sent = \fwrite(self::$file, $line);
            if (!$sent) {
                return; // nobody reads
            }
            $line = (string) \substr($line, $sent);
        }
    }

    public static function last_words(): void
    {
        $error = \error_get_last();
        $fatal = \E_ERROR | \E_PARSE | \E_CORE_ERROR | \E_COMPILE_ERROR;
        if ($error === null || !($error['type'] & $fatal) || self::$stage === '') {
            return;
        }
        $compiled = !($error['type'] & (\E_PARSE | \E_COMPILE_ERROR));
        $stage = self::$stage === 'load' && !$compiled ? 'compile' : self::$stage;
        $memory = \preg_match('/^(Out of memory|Allowed memory size)/', $error['message']);
        \preg_match('/^(?:PHP )?Uncaught ([\w\\\\]+)/', $error['message'], $found);
        $name = $memory ? 'MemoryError' : $found[1] ?? 'FatalError';
        $text = \str_replace(__DIR__ . '/', '', (string) \strtok($error['message'], "\n"));
        self::send("\"$stage\"," . message($name) . ',' . message($text));
    }
}

Stream::open();
