<?php
// Values as data, for the driver and for the recorder. Builtin functions are called by their full names, so
// that functions of the program's own namespaces cannot stand in for them.

namespace Judge;

const MAX_DEPTH = 200;
const MAX_MESSAGE = 200;

/** A value that has no form as data. */
final class Opaque extends \Exception
{
}

/** The JSON text of a string; bytes that are not UTF-8 become the replacement character. */
function text(string $text): string
{
    return \json_encode($text, \JSON_INVALID_UTF8_SUBSTITUTE | \JSON_UNESCAPED_SLASHES);
}

/** The JSON text of a message, cut. */
function message(string $text): string
{
    return text(\substr($text, 0, MAX_MESSAGE));
}

/** The JSON text of a value. Throws Opaque. */
function encode(mixed $value, int $depth = 0): string
{
    if ($value === null || \is_bool($value) || \is_int($value)) {
        return \json_encode($value);
    }
    if (\is_string($value)) {
        $text = \json_encode($value, \JSON_UNESCAPED_SLASHES);
        return $text === false ? '{"bytes":"' . \bin2hex($value) . '"}' : $text;
    }
    if (\is_float($value)) {
        return encode_float($value);
    }
    if (!\is_array($value)) {
        throw new Opaque('a value of type ' . \substr(\get_debug_type($value), 0, 60));
    }
    if ($depth >= MAX_DEPTH) {
        throw new Opaque('a value that contains itself, or is nested too deeply');
    }
    return encode_array($value, $depth + 1);
}

function encode_float(float $value): string
{
    if (\is_nan($value)) {
        return '{"float":"nan"}';
    }
    if (\is_infinite($value)) {
        return $value > 0 ? '{"float":"inf"}' : '{"float":"-inf"}';
    }
    $theirs = \ini_set('serialize_precision', '-1');
    $text = \json_encode($value, \JSON_PRESERVE_ZERO_FRACTION);
    \ini_set('serialize_precision', (string) $theirs);
    return $text;
}

function encode_array(array $value, int $depth): string
{
    $items = [];
    $next = 0;
    foreach ($value as $key => $item) {
        $items[] = encode($item, $depth);
        $next += $key === $next ? 1 : 0;
    }
    if ($next === \count($items)) {
        return '[' . \implode(',', $items) . ']';
    }
    foreach (\array_keys($value) as $position => $key) {
        $items[$position] = '[' . encode($key) . ',' . $items[$position] . ']';
    }
    return '{"dict":[' . \implode(',', $items) . ']}';
}

/** The value that JSON, parsed with associative arrays, stands for. */
function decode(mixed $data): mixed
{
    if (!\is_array($data)) {
        return $data;
    }
    if (!\is_string(\array_key_first($data))) {
        return \array_map('Judge\decode', $data);
    }
    $tag = \array_key_first($data);
    $body = $data[$tag];
    switch ($tag) {
        case 'dict':
            return \array_combine(\array_column($body, 0), \array_map('Judge\decode', \array_column($body, 1)));
        case 'float':
            return ['nan' => \NAN, 'inf' => \INF, '-inf' => -\INF][$body];
        case 'bytes':
            return \hex2bin($body);
        default:
            throw new Opaque("an argument with the tag $tag");
    }
}
