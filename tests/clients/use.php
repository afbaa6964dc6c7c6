<?php
// Sends a message and reads its own answer, with the generated models: run by `make clients`.

spl_autoload_register(function (string $class): void {
    require getcwd() . '/made/lib/' . str_replace('\\', '/', substr($class, strlen('OpenAPI\\Client\\'))) . '.php';
});

use OpenAPI\Client\Model\GetUserListQuery;
use OpenAPI\Client\ObjectSerializer;

function send(string $url, string $key, object $message, string $answer): object
{
    $body = json_encode(ObjectSerializer::sanitizeForSerialization($message));
    $headers = ['Content-Type: application/json', "Authorization: Bearer $key", 'Idempotency-Key: ' . bin2hex(random_bytes(16))];
    $options = ['method' => 'POST', 'header' => $headers, 'content' => $body, 'ignore_errors' => true];
    $reply = file_get_contents("$url/api/bpm/cmd", false, stream_context_create(['http' => $options]));
    $decoded = json_decode($reply);
    if (!$decoded->success) {
        throw new RuntimeException($decoded->message . ': ' . implode('; ', $decoded->errors));
    }
    return ObjectSerializer::deserialize($decoded, $answer);
}

$query = new GetUserListQuery(['type' => 'GetUserListQuery', 'page_size' => 20]);
foreach (send($argv[1], $argv[2], $query, '\OpenAPI\Client\Model\GetUserListQueryAnswer')->getData()->getItems() as $user) {
    echo $user->getUsername(), "\n";
}
