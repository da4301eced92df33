import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own transactional producer, for tests: `Transact BROKERS TRANSACTIONAL_ID TOPIC`. Each line that it reads is a
 * record, `PARTITION\tKEY\tVALUE`, or the end of a transaction, `commit` or `abort`. What is aborted has been in the log.
 */
class Transact {
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("transactional.id", arguments[1]);
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      boolean isOpen = false;
      for (String line; (line = input.readLine()) != null; ) {
        if (!isOpen) producer.beginTransaction();
        isOpen = true;
        String[] record = line.split("\t", 3);
        if (record.length == 3) {
          producer.send(new ProducerRecord<>(arguments[2], Integer.valueOf(record[0]), record[1], record[2]));
          continue;
        }
        producer.flush();
        if (line.equals("commit")) producer.commitTransaction();
        else producer.abortTransaction();
        isOpen = false;
      }
    }
  }
}
