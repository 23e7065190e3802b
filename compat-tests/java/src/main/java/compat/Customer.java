package compat;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.enhanced.dynamodb.extensions.annotations.DynamoDbVersionAttribute;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbAttribute;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbBean;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondaryPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondarySortKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSortKey;

/** A bean with keys, two indexes, a version and a property for every kind of value the enhanced client maps. */
@DynamoDbBean
public class Customer {
    private String account;
    private Integer number;
    private String city;
    private Instant since;
    private BigDecimal balance;
    private List<String> notes;
    private Map<String, Integer> scores;
    private Set<String> tags;
    private SdkBytes photo;
    private Boolean active;
    private Long version;

    static Customer of(String account, int number) {
        Customer customer = new Customer();
        customer.account = account;
        customer.number = number;
        return customer;
    }

    @DynamoDbPartitionKey
    public String getAccount() {
        return account;
    }

    public void setAccount(String account) {
        this.account = account;
    }

    @DynamoDbSortKey
    public Integer getNumber() {
        return number;
    }

    public void setNumber(Integer number) {
        this.number = number;
    }

    @DynamoDbSecondaryPartitionKey(indexNames = "byCity")
    public String getCity() {
        return city;
    }

    public void setCity(String city) {
        this.city = city;
    }

    @DynamoDbSecondarySortKey(indexNames = {"byCity", "bySince"})
    public Instant getSince() {
        return since;
    }

    public void setSince(Instant since) {
        this.since = since;
    }

    @DynamoDbAttribute("current balance")
    public BigDecimal getBalance() {
        return balance;
    }

    public void setBalance(BigDecimal balance) {
        this.balance = balance;
    }

    public List<String> getNotes() {
        return notes;
    }

    public void setNotes(List<String> notes) {
        this.notes = notes;
    }

    public Map<String, Integer> getScores() {
        return scores;
    }

    public void setScores(Map<String, Integer> scores) {
        this.scores = scores;
    }

    public Set<String> getTags() {
        return tags;
    }

    public void setTags(Set<String> tags) {
        this.tags = tags;
    }

    public SdkBytes getPhoto() {
        return photo;
    }

    public void setPhoto(SdkBytes photo) {
        this.photo = photo;
    }

    public Boolean getActive() {
        return active;
    }

    public void setActive(Boolean active) {
        this.active = active;
    }

    @DynamoDbVersionAttribute
    public Long getVersion() {
        return version;
    }

    public void setVersion(Long version) {
        this.version = version;
    }

    private List<Object> values() {
        return java.util.Arrays.asList(
                account, number, city, since, balance, notes, scores, tags, photo, active, version);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Customer customer && values().equals(customer.values());
    }

    @Override
    public int hashCode() {
        return Objects.hash(account, number);
    }

    @Override
    public String toString() {
        return values().toString();
    }
}
