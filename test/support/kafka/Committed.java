import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Kafka's own consumer, read-committed, for tests: `Committed BROKERS TOPIC…` prints every record of the topics up to
 * their ends of now, `TOPIC PARTITION OFFSET KEY VALUE` with key and value in base64, or "-" for none.
 */
class Committed {
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("isolation.level", "read_committed");
    settings.put("enable.auto.commit", "false");
    settings.put("max.poll.records", "10000");
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(settings, bytes, bytes);
        var out = new PrintStream(new BufferedOutputStream(System.out, 1 << 20))) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : List.of(arguments).subList(1, arguments.length)) {
        for (var info : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      var ends = consumer.endOffsets(partitions);
      for (var partition : partitions) {
        while (consumer.position(partition) < ends.get(partition)) {
          for (var record : consumer.poll(Duration.ofMillis(100))) {
            if (record.offset() >= ends.get(new TopicPartition(record.topic(), record.partition()))) continue;
            out.println(
                String.join(
                    " ",
                    record.topic(),
                    String.valueOf(record.partition()),
                    String.valueOf(record.offset()),
                    text(record.key()),
                    text(record.value())));
          }
        }
      }
    }
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
  }
}
