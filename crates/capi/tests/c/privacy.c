/* What vouchers tell, what links them, and what is refused before it is written. */
#include <stdlib.h>

#include "suite.h"

/* Whether a list has this kind; its entry goes to `found`. Frees the list. */
static bool tells(ov_disclosures *disclosures, int32_t code, ov_disclosure *found) {
    uint64_t len = 0;
    bool any = false;
    OK(ov_disclosures_len(disclosures, &len));
    CHECK(len > 0);
    for (uint64_t i = 0; i < len; i++) {
        ov_disclosure disclosure;
        OK(ov_disclosures_get(disclosures, i, &disclosure));
        CHECK(disclosure.name.len > 0 && disclosure.message.len > 0 && disclosure.advice.len > 0);
        CHECK(disclosure.severity >= OV_SEVERITY_INHERENT && disclosure.severity <= OV_SEVERITY_CRITICAL);
        if (disclosure.code == code && !any) {
            any = true;
            *found = disclosure;
        }
    }
    ov_disclosure none;
    IS(ov_disclosures_get(disclosures, len, &none), OV_ERR_INDEX);
    OK(ov_disclosures_free(&disclosures));
    CHECK(disclosures == NULL);
    return any;
}

static void test_disclosures(const ov_voucher *voucher) {
    ov_disclosures *disclosures = NULL;
    ov_disclosure found;
    int32_t code = 0;
    OK(ov_voucher_disclosures(voucher, false, &disclosures));
    CHECK(tells(disclosures, OV_DISCLOSURE_GUID_NOT_RANDOM, &found));
    CHECK(found.severity == OV_SEVERITY_MEDIUM && found.entry == OV_NONE);
    OK(ov_voucher_disclosures(voucher, false, &disclosures));
    CHECK(tells(disclosures, OV_DISCLOSURE_HOPS, &found));
    OK(ov_voucher_disclosures(voucher, false, &disclosures));
    CHECK(!tells(disclosures, OV_DISCLOSURE_WIFI_PASSWORD, &found));
    OK(ov_disclosure_from_name("wifi-password", 13, &code));
    CHECK(code == OV_DISCLOSURE_WIFI_PASSWORD);
    IS(ov_disclosure_from_name("wifi", 4, &code), OV_ERR_BAD_CALL);
    IS(ov_voucher_disclosures(NULL, false, &disclosures), OV_ERR_NULL);
    IS(ov_voucher_disclosures(voucher, false, NULL), OV_ERR_NULL);
}

/* The key of the maker again: the next owner stands in the voucher already. */
static void test_extend(const ov_voucher *voucher) {
    ov_verified *verified = NULL;
    ov_extend_options *options = NULL;
    ov_extension *extension = NULL;
    ov_disclosures *disclosures = NULL;
    ov_disclosure found;
    ov_error *error = NULL;
    ov_status status = OV_OK;
    OK(ov_voucher_verify(voucher, any_origin(), &verified, NULL));
    OK(ov_extend_options_new(&options));
    OK(ov_error_new(&error));
    ov_next_owner *maker = next_owner(1), *other = next_owner(2);

    OK(ov_verified_extend(verified, maker, options, &extension, NULL));
    OK(ov_extension_disclosures(extension, false, &disclosures, NULL));
    CHECK(tells(disclosures, OV_DISCLOSURE_REPEATED_OWNER, &found) && found.entry == 0);
    OK(ov_extension_free(&extension));

    OK(ov_extend_options_refuse_disclosure(options, OV_DISCLOSURE_REPEATED_OWNER));
    IS(ov_verified_extend(verified, maker, options, &extension, error), OV_ERR_DISCLOSURE);
    OK(ov_error_status(error, &status));
    CHECK(status == OV_ERR_DISCLOSURE && extension == NULL);
    OK(ov_verified_extend(verified, other, options, &extension, NULL));
    OK(ov_extension_free(&extension));
    /* All that is strict: the GUID of the suite is not random. */
    OK(ov_extend_options_refuse_disclosure(options, 0));
    IS(ov_verified_extend(verified, other, options, &extension, NULL), OV_ERR_DISCLOSURE);
    IS(ov_extend_options_refuse_disclosure(options, 7), OV_ERR_BAD_CALL);
    OK(ov_next_owner_free(&maker));
    OK(ov_next_owner_free(&other));
    OK(ov_error_free(&error));
    OK(ov_extend_options_free(&options));
    OK(ov_verified_free(&verified));
}

static void test_create(void) {
    unsigned char guid[16];
    for (int i = 0; i < 16; i++) guid[i] = (unsigned char)(37 * i + 129);
    const char *info = "GW-100 S/N 17";
    const int32_t serial = OV_DISCLOSURE_DEVICE_INFO_SERIAL, other = OV_DISCLOSURE_EXTRA_DATA, all = 0;
    ov_next_owner *maker = next_owner(1);
    ov_new_voucher *made = NULL;
    ov_rv_directive *directive = NULL;
    ov_header *header = NULL;
    ov_disclosures *disclosures = NULL;
    ov_disclosure found;
    OK(ov_new_voucher_new(guid, info, strlen(info), maker, &made, NULL));
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_dns(directive, "rv.example.com", 14));
    OK(ov_rv_directive_device_port(directive, 443));
    OK(ov_rv_directive_protocol(directive, 2));
    OK(ov_new_voucher_add_rendezvous(made, directive));
    OK(ov_new_voucher_set_epid(made));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_disclosures(header, false, &disclosures));
    CHECK(tells(disclosures, OV_DISCLOSURE_DEVICE_INFO_SERIAL, &found));
    OK(ov_header_free(&header));
    OK(ov_new_voucher_refuse_disclosures(made, &serial, 1));
    IS(ov_new_voucher_header(made, &header, NULL), OV_ERR_DISCLOSURE);
    OK(ov_new_voucher_refuse_disclosures(made, &all, 1));
    IS(ov_new_voucher_header(made, &header, NULL), OV_ERR_DISCLOSURE);
    OK(ov_new_voucher_refuse_disclosures(made, &other, 1));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_free(&header));
    OK(ov_rv_directive_free(&directive));
    OK(ov_new_voucher_free(&made));
    OK(ov_next_owner_free(&maker));
}

/* Two vouchers of one maker and owner. */
static void test_links(const ov_voucher *voucher) {
    ov_voucher *second = made_voucher(77);
    ov_linker *linker = NULL;
    ov_linkage *linkage = NULL;
    ov_linkage_summary summary;
    ov_group group;
    uint64_t number = 9, labels = 0, anonymity_set = 0, clusters[2] = {9, 9};
    const int32_t owners = OV_LINK_CURRENT_OWNER, serials = OV_LINK_DEVICE_SERIALS, unknown = 1;
    const uint8_t secret[32] = {7};
    IS(ov_linker_new(secret, 31, &linker), OV_ERR_BAD_CALL);
    OK(ov_linker_new(secret, 32, &linker));
    OK(ov_linker_add(linker, voucher, &number, NULL));
    CHECK(number == 0);
    OK(ov_linker_add(linker, second, &number, NULL));
    CHECK(number == 1);
    OK(ov_voucher_free(&second));
    OK(ov_linker_finish(linker, &linkage));
    IS(ov_linker_add(linker, voucher, NULL, NULL), OV_ERR_ABSENT);
    OK(ov_linker_free(&linker));
    OK(ov_linkage_info(linkage, &summary));
    CHECK(summary.vouchers == 2 && summary.owner_keys == 1 && summary.traced == 2);
    /* Owner, maker, device info, rendezvous server. */
    CHECK(summary.groups == 4 && summary.smallest_anonymity_set == 1);
    OK(ov_linkage_group(linkage, 0, &group));
    CHECK(group.code == OV_LINK_CURRENT_OWNER && group.size == 2 && group.first == 0);
    OK(ov_linkage_group(linkage, 3, &group));
    CHECK(group.text.len == 14 && memcmp(group.text.data, "rv.example.com", 14) == 0);
    IS(ov_linkage_group(linkage, 4, &group), OV_ERR_INDEX);
    OK(ov_linkage_voucher(linkage, 1, &labels, &anonymity_set));
    CHECK(labels == 4 && anonymity_set == 1);
    OK(ov_linkage_voucher(linkage, 0, NULL, NULL));
    IS(ov_linkage_voucher(linkage, 2, &labels, &anonymity_set), OV_ERR_INDEX);
    OK(ov_linkage_label(linkage, 1, 3, &number));
    CHECK(number == 3);
    IS(ov_linkage_label(linkage, 1, 4, &number), OV_ERR_INDEX);
    OK(ov_linkage_clusters(linkage, &owners, 1, clusters, 2));
    CHECK(clusters[0] == 0 && clusters[1] == 0);
    OK(ov_linkage_clusters(linkage, &serials, 1, clusters, 2));
    CHECK(clusters[0] == 0 && clusters[1] == 1);
    IS(ov_linkage_clusters(linkage, &owners, 1, clusters, 1), OV_ERR_BAD_CALL);
    IS(ov_linkage_clusters(linkage, &unknown, 1, clusters, 2), OV_ERR_BAD_CALL);
    OK(ov_linkage_free(&linkage));
}

void test_privacy(void) {
    ov_voucher *voucher = made_voucher(9);
    test_disclosures(voucher);
    test_extend(voucher);
    test_create();
    test_links(voucher);
    OK(ov_voucher_free(&voucher));
}
