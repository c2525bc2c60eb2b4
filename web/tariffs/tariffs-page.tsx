import { useQuery } from "@tanstack/react-query";
import { Loaded } from "../api/loaded.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { ScrollTable } from "../list/scroll-table.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { tariffPath } from "../shell/pages.ts";

/** All versions of all tariffs, the newest of each first. */
export default function TariffsPage() {
  const api = useApi();
  const list = useQuery({
    queryKey: ["listTariffVersions"],
    queryFn: ({ signal }) => api("listTariffVersions", {}, { signal }),
  });
  return (
    <>
      <PageHead title="Tariffs" about="Versions that never change, and the meters that count by them" />
      <Loaded query={list}>
        {({ tariffs }) => (
          <div className="card flush">
            {tariffs.length === 0 ? (
              <p className="empty">No tariff yet.</p>
            ) : (
              <ScrollTable label="Tariffs" columns={["Version", "Calendar", "Made", "By"]}>
                {[...tariffs]
                  .sort((left, right) =>
                    left.tariffId === right.tariffId
                      ? right.version - left.version
                      : left.tariffId < right.tariffId
                        ? -1
                        : 1,
                  )
                  .map(({ tariffId, version, content, createdAt, by }) => (
                    <tr key={`${tariffId} ${version}`}>
                      <th scope="row">
                        <Link to={tariffPath(tariffId, version)}>
                          {tariffId} version {version}
                        </Link>
                        {content.description !== undefined && (
                          <span className="small muted job-about">{content.description}</span>
                        )}
                      </th>
                      <td>{content.calendar.name}</td>
                      <td>
                        <Instant at={createdAt} />
                      </td>
                      <td>{by.name ?? by.id}</td>
                    </tr>
                  ))}
              </ScrollTable>
            )}
          </div>
        )}
      </Loaded>
    </>
  );
}
