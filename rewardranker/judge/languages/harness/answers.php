<?php
// Stands after the program: answers the calls in calls.json by calling the program's function.

namespace Judge;

/** The full name of the program's function, or null. One of PHP's own does not count. */
function program_function(string $name): ?string
{
    $found = null;
    foreach (\get_defined_functions()['user'] as $function) {
        if ($function === \strtolower($name)) {
            return $function;
        }
        if (\str_ends_with($function, '\\' . \strtolower($name)) && !\str_starts_with($function, 'judge\\')) {
            $found = $function;
        }
    }
    return $found;
}

/** The answer to one call, as the further entries of a line. */
function answer(?string $function, array $call): string
{
    if ($function === null) {
        return '"error","Error",' . message('the program does not define the function ' . Stream::$job['entry']);
    }
    try {
        $arguments = decode($call);
        $value = encode($function(...$arguments));
        return '"value",' . (isset(Stream::$job['replayed']) ? '[' . text($value) . ']' : $value);
    } catch (Opaque $error) {
        return '"opaque",' . message($error->getMessage());
    } catch (\Throwable $error) {
        return '"error",' . message(\get_class($error)) . ',' . message($error->getMessage());
    }
}

function answer_all(): void
{
    Stream::send('"ready"');
    Stream::$stage = 'error';
    $function = program_function(Stream::$job['entry']);
    foreach (Stream::$job['calls'] as $call) {
        Stream::send(answer($function, $call));
    }
    Stream::$stage = '';
    Stream::send('"done"');
}

answer_all();
